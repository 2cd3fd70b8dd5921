"""Resources: user, organization, accounts, groups, folders, import status, metrics."""

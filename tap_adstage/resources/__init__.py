"""Resources: users, organizations, accounts, groups, folders, import status, metrics."""

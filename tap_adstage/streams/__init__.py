"""Singer streams: the only place that uses the SDK's `Stream`."""

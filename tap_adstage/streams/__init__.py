"""Singer streams: the only place that knows the SDK's `Stream`."""

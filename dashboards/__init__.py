"""The dashboards: what the published marts say, on a screen."""

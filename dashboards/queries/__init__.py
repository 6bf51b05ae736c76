"""Questions to the published marts, answered once for each publication."""

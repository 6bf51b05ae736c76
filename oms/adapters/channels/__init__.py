"""Channel adapters: payloads in, drafts out."""

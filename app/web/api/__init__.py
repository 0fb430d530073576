"""The operator API: bearer keys with scopes, JSON, problem details."""

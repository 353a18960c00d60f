"""MCP server: tools with which an agent finds free times, for a person who books."""

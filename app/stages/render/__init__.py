"""How the paper looks: HTML mail, plain text and web page from one content."""

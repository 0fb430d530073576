"""What happened: the stories that operators hand in, and what trends on Hugging Face and GitHub."""

"""The vocabulary of mail that send and every provider share: template, message, receipt, provider."""

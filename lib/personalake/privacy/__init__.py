"""De-identification: the key, the keyed hashes, and the encryption of what had to be refused."""

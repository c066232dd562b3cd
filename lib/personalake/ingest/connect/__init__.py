"""Sources that are no files: databases, HTTP APIs, Kafka topics, other Delta tables."""

"""The features of profiles: what a feature is, the rows they are counted on, and the catalogue by theme."""

// The package is built for what it depends on.

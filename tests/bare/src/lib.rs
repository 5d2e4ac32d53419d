//! Uses mailproof as a server without features and without a runtime does.

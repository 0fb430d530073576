"""Ground floor: settings, clock, calendar, errors, log, signing, database, resources, and the mail vocabulary."""

"""Everything that knows HTTP: routes, schemas, request bodies, problem documents."""

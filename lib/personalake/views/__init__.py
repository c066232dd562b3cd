"""How people look at the tables: named views, a query console, and one person's picture."""

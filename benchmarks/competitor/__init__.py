"""The same list as most would write it: FastAPI, Pydantic response models, SQLAlchemy's ORM on asyncpg.

Written as the documentations of these projects teach it, with every choice that is open made in its favour:
lists inside a candidate are JSON columns and cost no query of their own, interviews and offers (empty here) are not
looked up, related rows come with the loading strategy that measured fastest, and rows are validated once.
"""

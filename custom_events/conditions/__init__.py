"""The condition language: its tree, fields and operators, validation, the one evaluator, explanation."""

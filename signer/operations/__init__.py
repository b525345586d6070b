"""Operations on signatures: sign, list, remove, attach, timestamp, and sign with an external key."""

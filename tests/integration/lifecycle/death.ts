import type { TestDatabase } from '../../support/database.ts';

/**
 * The death of the process as the database sees it: from some write of a meeting on, no other one arrives. What was
 * committed before stays, with the lease that the dead one held; what was sent to Microsoft stays as well.
 */
export interface Death {
  /** Lets the process die once it has written meetings that often. */
  after(writes: number): Promise<void>;
  /** Whether a write was already prevented. */
  hasStruck(): Promise<boolean>;
  /** A new process takes over, after so long that leases of the dead one have run out. */
  restart(): Promise<void>;
}

// The count is a sequence, as the transaction that dies must not take it back.
const MORTAL = `
CREATE TABLE death (after_writes bigint);
INSERT INTO death VALUES (NULL);
CREATE SEQUENCE death_writes MINVALUE 0;
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE allowed bigint := (SELECT after_writes FROM public.death);
BEGIN
  IF allowed IS NOT NULL AND nextval('public.death_writes') > allowed THEN RAISE EXCEPTION 'the process is dead'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER die BEFORE INSERT OR UPDATE ON online_meetings FOR EACH STATEMENT EXECUTE FUNCTION die()`;

export async function makeMortal(database: TestDatabase): Promise<Death> {
  await database.query(MORTAL);
  return {
    async after(writes) {
      await database.query("SELECT setval('death_writes', 0)");
      await database.query('UPDATE death SET after_writes = $1', [writes]);
    },
    async hasStruck() {
      const [row] = await database.query<{ struck: boolean | null }>(
        'SELECT (SELECT last_value FROM death_writes) > after_writes AS struck FROM death',
      );
      return row?.struck === true;
    },
    async restart() {
      await database.query('UPDATE death SET after_writes = NULL');
      await database.query(
        "UPDATE online_meetings SET leased_until = now() - interval '1 second' WHERE leased_until > now()",
      );
    },
  };
}

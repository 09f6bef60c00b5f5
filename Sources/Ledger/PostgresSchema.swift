/// The tables and functions in PostgreSQL. All their names begin with `parley_`.
enum PostgresSchema {
  static let version = 1

  /// Two processes that begin at once would both make the tables: the lock lets one of them wait. The number is arbitrary;
  /// it only has to be the same in every version.
  static let migration: [String] = [
    "SELECT pg_advisory_xact_lock(7095911237)",
    "CREATE TABLE IF NOT EXISTS parley_schema(version int NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS parley_usage(\(usageColumns), record jsonb NOT NULL, PRIMARY KEY(id))
    """,
    "CREATE INDEX IF NOT EXISTS parley_usage_by_beginning ON parley_usage(started_at, id COLLATE \"C\")",
    "CREATE INDEX IF NOT EXISTS parley_usage_by_day ON parley_usage(day)",
    "CREATE INDEX IF NOT EXISTS parley_usage_live ON parley_usage(updated_at) WHERE state = 'live'",
    """
    CREATE TABLE IF NOT EXISTS parley_keys(id text PRIMARY KEY, name text NOT NULL, digest text NOT NULL UNIQUE, \
    revoked_at bigint, record jsonb NOT NULL)
    """,
    "CREATE TABLE IF NOT EXISTS parley_apps(name text PRIMARY KEY, record jsonb NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS parley_seats(holder text, session text, instance text NOT NULL, \
    expires_at timestamptz NOT NULL, minutes_day int, PRIMARY KEY(holder, session))
    """,
    "CREATE INDEX IF NOT EXISTS parley_seats_by_session ON parley_seats(session)",
    "CREATE TABLE IF NOT EXISTS parley_rates(holder text PRIMARY KEY, expected timestamptz NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS parley_token_uses(token text PRIMARY KEY, used int NOT NULL, \
    expires_at timestamptz NOT NULL)
    """,
    """
    CREATE TABLE IF NOT EXISTS parley_minutes(holder text, day int, used double precision NOT NULL, \
    PRIMARY KEY(holder, day))
    """,
    take,
    renew,
    giveBack,
    "DELETE FROM parley_schema",
    "INSERT INTO parley_schema VALUES (\(version))",
  ]

  private static let usageColumns = UsageColumns.all.map { "\($0.name) \($0.type)" }.joined(separator: ", ")

  /// Takes seats for a list of orders, each wholly or not at all, and says of each what became of it.
  ///
  /// The locks of all holders are taken first, in their order, so that two calls never wait for each other; what is read
  /// behind them is what the holder before has written, because each statement of a VOLATILE function in a READ COMMITTED
  /// transaction sees what was committed until then. Time is that of the database, behind the locks.
  private static let take = """
    CREATE OR REPLACE FUNCTION parley_take(orders jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $parley$
    DECLARE
      o jsonb; h jsonb; t timestamptz; e timestamptz; r jsonb; answers jsonb := '[]'; name text; taken bigint;
      spent double precision; granted double precision; rate double precision;
    BEGIN
      FOR name IN SELECT DISTINCT q.h COLLATE "C" AS h FROM (
          SELECT x->>'h' AS h FROM jsonb_array_elements(orders) AS a, jsonb_array_elements(a->'holders') AS x
          UNION ALL SELECT 'uses:' || (a->'token'->>'id') FROM jsonb_array_elements(orders) AS a
            WHERE jsonb_typeof(a->'token') = 'object') AS q ORDER BY 1
      LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('parley:' || name, 0));
      END LOOP;
      t := clock_timestamp();
      FOR o IN SELECT a FROM jsonb_array_elements(orders) WITH ORDINALITY AS x(a, n) ORDER BY n LOOP
        r := NULL;
        granted := 'Infinity';
        FOR h IN SELECT a FROM jsonb_array_elements(o->'holders') WITH ORDINALITY AS x(a, n) ORDER BY n LOOP
          name := h->>'h';
          IF h ? 'connects' THEN
            rate := (h->>'connects')::double precision;
            SELECT expected INTO e FROM parley_rates WHERE holder = name;
            IF e > t + make_interval(secs => (rate - 1) / rate + 0.000001) THEN
              r := jsonb_build_object('ok', false, 'h', name, 'limit', 'maxConnectsPerSecond', 'most', rate,
                'retry', ceil(extract(epoch FROM e - t) - (rate - 1) / rate));
              EXIT;
            END IF;
          END IF;
          IF h ? 'sessions' THEN
            DELETE FROM parley_seats WHERE holder = name AND expires_at <= t;
            SELECT count(*) INTO taken FROM parley_seats WHERE holder = name AND session <> o->>'session';
            IF taken >= (h->>'sessions')::bigint THEN
              r := jsonb_build_object('ok', false, 'h', name, 'limit', 'maxSessions',
                'most', (h->>'sessions')::bigint, 'retry', 10);
              EXIT;
            END IF;
          END IF;
          IF h ? 'minutes' THEN
            SELECT used INTO spent FROM parley_minutes WHERE holder = name AND day = (o->>'day')::int;
            spent := (h->>'minutes')::double precision * 60 - coalesce(spent, 0);
            IF spent <= 0 THEN
              r := jsonb_build_object('ok', false, 'h', name, 'limit', 'maxMinutesPerDay',
                'most', (h->>'minutes')::double precision, 'retry', (o->>'dayLeft')::double precision);
              EXIT;
            END IF;
            granted := least(granted, spent, (o->>'slice')::double precision);
          END IF;
        END LOOP;
        IF r IS NULL AND jsonb_typeof(o->'token') = 'object' THEN
          INSERT INTO parley_token_uses AS u VALUES (o->'token'->>'id', 1,
              to_timestamp((o->'token'->>'until')::double precision))
            ON CONFLICT (token) DO UPDATE SET used = u.used + 1
            WHERE u.used < (o->'token'->>'most')::int;
          IF NOT FOUND OR (o->'token'->>'most')::int < 1 THEN
            r := jsonb_build_object('ok', false, 'h', 'token:' || (o->'token'->>'id'), 'limit', 'maxSessions',
              'most', (o->'token'->>'most')::int, 'retry', 1);
          END IF;
        END IF;
        IF r IS NULL THEN
          FOR h IN SELECT a FROM jsonb_array_elements(o->'holders') AS a LOOP
            name := h->>'h';
            IF h ? 'sessions' OR h ? 'minutes' THEN
              INSERT INTO parley_seats VALUES (name, o->>'session', o->>'instance',
                  t + make_interval(secs => (o->>'lease')::double precision),
                  CASE WHEN h ? 'minutes' THEN (o->>'day')::int END)
                ON CONFLICT (holder, session) DO UPDATE
                SET expires_at = excluded.expires_at, minutes_day = excluded.minutes_day;
            END IF;
            IF h ? 'connects' THEN
              INSERT INTO parley_rates AS q
                VALUES (name, t + make_interval(secs => 1 / (h->>'connects')::double precision))
                ON CONFLICT (holder) DO UPDATE SET
                expected = greatest(q.expected, t) + make_interval(secs => 1 / (h->>'connects')::double precision);
            END IF;
            IF h ? 'minutes' THEN
              INSERT INTO parley_minutes AS m VALUES (name, (o->>'day')::int, granted)
                ON CONFLICT (holder, day) DO UPDATE SET used = m.used + excluded.used;
            END IF;
          END LOOP;
          r := jsonb_build_object('ok', true,
            'granted', CASE WHEN granted < 'Infinity' THEN to_jsonb(granted) ELSE 'null' END);
        END IF;
        answers := answers || jsonb_build_array(r);
      END LOOP;
      RETURN answers;
    END $parley$
    """

  /// Keeps the seats of live sessions, makes those anew that are not there, and grants minutes.
  private static let renew = """
    CREATE OR REPLACE FUNCTION parley_renew(live jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $parley$
    DECLARE
      o jsonb; h jsonb; t timestamptz; answers jsonb := '{}'; name text; spent double precision;
      granted double precision; lease interval;
    BEGIN
      FOR name IN SELECT DISTINCT (x->>'h') COLLATE "C" AS h
        FROM jsonb_array_elements(live) AS a, jsonb_array_elements(a->'holders') AS x ORDER BY 1
      LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('parley:' || name, 0));
      END LOOP;
      t := clock_timestamp();
      FOR o IN SELECT a FROM jsonb_array_elements(live) AS a LOOP
        lease := make_interval(secs => (o->>'lease')::double precision);
        granted := 'Infinity';
        FOR h IN SELECT a FROM jsonb_array_elements(o->'holders') AS a LOOP
          IF h ? 'minutes' THEN
            SELECT used INTO spent FROM parley_minutes WHERE holder = h->>'h' AND day = (o->>'day')::int;
            granted := least(granted, (o->>'wanted')::double precision,
              greatest(0, (h->>'minutes')::double precision * 60 - coalesce(spent, 0)));
          END IF;
        END LOOP;
        FOR h IN SELECT a FROM jsonb_array_elements(o->'holders') AS a LOOP
          INSERT INTO parley_seats VALUES (h->>'h', o->>'session', o->>'instance', t + lease,
              CASE WHEN h ? 'minutes' THEN (o->>'day')::int END)
            ON CONFLICT (holder, session) DO UPDATE SET expires_at = excluded.expires_at,
              minutes_day = CASE WHEN granted > 0 THEN excluded.minutes_day ELSE parley_seats.minutes_day END;
          IF h ? 'minutes' AND granted > 0 THEN
            INSERT INTO parley_minutes AS m VALUES (h->>'h', (o->>'day')::int, granted)
              ON CONFLICT (holder, day) DO UPDATE SET used = m.used + excluded.used;
          END IF;
        END LOOP;
        answers := answers || jsonb_build_object(o->>'session',
          CASE WHEN granted < 'Infinity' THEN to_jsonb(granted) ELSE 'null' END);
      END LOOP;
      -- What nobody needs any more. Rows that another transaction has locked are left to the next call.
      DELETE FROM parley_seats WHERE (holder, session) IN (SELECT q.holder, q.session FROM parley_seats AS q
        WHERE q.expires_at < t - interval '1 hour' LIMIT 1000 FOR UPDATE SKIP LOCKED);
      DELETE FROM parley_token_uses WHERE token IN (SELECT q.token FROM parley_token_uses AS q
        WHERE q.expires_at < t - interval '1 minute' LIMIT 1000 FOR UPDATE SKIP LOCKED);
      DELETE FROM parley_minutes WHERE (holder, day) IN (SELECT q.holder, q.day FROM parley_minutes AS q
        WHERE q.day < extract(epoch FROM t)::bigint / 86400 - 7 LIMIT 1000 FOR UPDATE SKIP LOCKED);
      RETURN answers;
    END $parley$
    """

  /// Frees the seats of sessions, and gives back what they did not use of their minutes.
  private static let giveBack = """
    CREATE OR REPLACE FUNCTION parley_give_back(ended jsonb) RETURNS void LANGUAGE plpgsql VOLATILE AS $parley$
    DECLARE
      o jsonb; s record; name text;
    BEGIN
      FOR name IN SELECT DISTINCT holder COLLATE "C" AS h FROM parley_seats
        WHERE session IN (SELECT a->>'session' FROM jsonb_array_elements(ended) AS a) ORDER BY 1
      LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('parley:' || name, 0));
      END LOOP;
      FOR o IN SELECT a FROM jsonb_array_elements(ended) AS a LOOP
        FOR s IN DELETE FROM parley_seats WHERE session = o->>'session' RETURNING holder, minutes_day LOOP
          IF s.minutes_day IS NOT NULL THEN
            UPDATE parley_minutes SET used = greatest(0, used - (o->>'unused')::double precision)
              WHERE holder = s.holder AND day = s.minutes_day;
          END IF;
        END LOOP;
      END LOOP;
    END $parley$
    """
}

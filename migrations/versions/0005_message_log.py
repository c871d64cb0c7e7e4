"""The message log: rows, the head and the delivery cursor of each owner; on PostgreSQL what writes a batch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from xmppd.migrations.columns import address

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Who writes batches, the last one that each of them has committed, and the numbers that it was given: a batch that is
# sent again gets the same answer and does nothing. PLAIN, since a row that moves to a TOAST table costs more than all
# else here; 200 rows need less than 5 kB.
WRITERS = """
    CREATE TABLE log_writer (
        writer bigint NOT NULL,
        batch bigint NOT NULL,
        numbers bigint[] NOT NULL,
        seen timestamptz NOT NULL,
        CONSTRAINT pk_log_writer PRIMARY KEY (writer)
    ) WITH (fillfactor = 20);
    ALTER TABLE log_writer ALTER COLUMN numbers SET STORAGE PLAIN
"""

# As `xmppd_hold_slot`, for many slots by two statements.
HOLD_SLOTS = """
    CREATE FUNCTION xmppd_hold_slots(wanted integer[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        held bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(1936486260, slot) FROM unnest(wanted) AS slot;  -- "slot"
        SELECT count(*) INTO held FROM slot_here WHERE slot = ANY (wanted) AND state = 'open';
        IF held <> cardinality(wanted) THEN
            RAISE EXCEPTION 'a slot is not open here' USING ERRCODE = 'XM001';
        END IF;
    END $$
"""

# Commits one batch. `owners` are each owner once, ascending, so that two batches cannot wait for each other; `fresh`
# are subscripts of those that may have no head yet. Of each row: the subscript of its owner, its rank among that
# owner's rows, and where its parts are in `data`: digests of owner and peer (16 bytes each), key, peer, origin-id,
# stanza. `since` is null if no row asks for repetitions.
#
# Returned are, for each owner, its last id before and after; then, if repetitions were asked for, for each row the id
# of the earlier row or null. Ids of a batch may have gaps where a row was a repetition.
#
# The writer's row is locked first: a batch that is sent again waits until the first one has ended, whatever its end.
APPEND = """
    CREATE FUNCTION xmppd_log_append(
        its_writer bigint, its_batch bigint, held integer[], owners bytea[], counts integer[],
        fresh integer[], fresh_slots integer[], fresh_jids bytea[],
        whose integer[], ranks integer[], directions smallint[], kinds smallint[], flag_sets smallint[],
        starts integer[], key_lengths integer[], peer_lengths integer[], origin_lengths integer[],
        stanza_lengths integer[], since bigint[], data bytea
    ) RETURNS bigint[] LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    DECLARE
        done bigint;
        kept bigint[];
        before bigint[];
        after bigint[];
        earlier bigint[];
        tops integer[];
        touched bigint;
    BEGIN
        LOOP
            SELECT batch, numbers INTO done, kept FROM log_writer WHERE writer = its_writer FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO log_writer VALUES (its_writer, 0, '{}', now()) ON CONFLICT DO NOTHING;
        END LOOP;
        IF done = its_batch THEN
            RETURN kept;
        ELSIF done > its_batch THEN
            RAISE EXCEPTION 'batch % comes behind batch %', its_batch, done;
        END IF;
        PERFORM xmppd_hold_slots(held);
        IF fresh IS NOT NULL THEN
            INSERT INTO log_head (owner, jid, slot, last_id, before_id)
                SELECT owners[fresh[n]], convert_from(fresh_jids[n], 'UTF8'), fresh_slots[n], 0, 0
                FROM generate_subscripts(fresh, 1) AS n ORDER BY n
                ON CONFLICT DO NOTHING;
        END IF;

        IF since IS NULL THEN
            SELECT array_agg(count - 1) INTO tops FROM unnest(counts) AS count;
        ELSE
            PERFORM 1 FROM log_head WHERE owner = ANY (owners) ORDER BY owner FOR UPDATE;
            SELECT array_agg((
                SELECT id FROM log
                WHERE owner = substr(data, starts[n], 16) AND id >= since[n]
                    AND key = substr(data, starts[n] + 32, key_lengths[n])
                ORDER BY id LIMIT 1
            ) ORDER BY n) INTO earlier FROM generate_subscripts(since, 1) AS n;
            SELECT array_agg((
                SELECT max(ranks[n]) FROM generate_subscripts(whose, 1) AS n WHERE whose[n] = o AND earlier[n] IS NULL
            ) ORDER BY o) INTO tops FROM generate_subscripts(owners, 1) AS o;
        END IF;

        WITH moved AS (
            UPDATE log_head SET
                before_id = last_id,
                last_id = CASE WHEN tops[n] IS NULL THEN last_id ELSE
                    greatest(last_id + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint << 20) + tops[n]
                END
            FROM unnest(owners) WITH ORDINALITY AS listed(digest, n)
            WHERE owner = digest
            RETURNING n, before_id, last_id
        )
        SELECT array_agg(before_id ORDER BY n), array_agg(last_id ORDER BY n), count(*)
            INTO before, after, touched FROM moved;
        IF touched <> cardinality(owners) THEN
            RAISE EXCEPTION 'a head is missing' USING ERRCODE = 'XM002';
        END IF;

        INSERT INTO log (owner, id, peer_key, peer, direction, kind, flags, origin_id, key, stanza)
            SELECT
                substr(data, start, 16),
                after[whose[n]] - tops[whose[n]] + ranks[n],
                substr(data, start + 16, 16),
                convert_from(substr(data, start + 32 + key_length, peer_lengths[n]), 'UTF8'),
                directions[n], kinds[n], flag_sets[n],
                convert_from(substr(
                    data, start + 32 + key_length + peer_lengths[n], origin_lengths[n]
                ), 'UTF8'),
                substr(data, start + 32, key_lengths[n]),
                substr(
                    data, start + 32 + key_length + peer_lengths[n] + coalesce(origin_lengths[n], 0), stanza_lengths[n]
                )
            FROM generate_subscripts(whose, 1) AS n,
                LATERAL (SELECT starts[n] AS start, coalesce(key_lengths[n], 0) AS key_length OFFSET 0) AS place
            WHERE earlier IS NULL OR earlier[n] IS NULL;

        kept := before || after || coalesce(earlier, '{}');
        UPDATE log_writer SET batch = its_batch, numbers = kept, seen = now() WHERE writer = its_writer;
        RETURN kept;
    END $$
"""

# What is delivered is a set, {ids up to `delivered`} without those in `open`; two writers' knowledge is the union of
# their sets. More than 256 open ids are not kept: then less counts as delivered than is.
UNION = """
    CREATE FUNCTION xmppd_log_union(
        one bigint, one_open bigint[], other bigint, other_open bigint[], OUT delivered bigint, OUT left_open bigint[]
    ) LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        delivered := greatest(one, other);
        IF one_open = '{}' AND other_open = '{}' THEN
            left_open := '{}';
            RETURN;
        END IF;
        left_open := ARRAY(
            SELECT id FROM unnest(one_open) AS id WHERE id > other OR id = ANY (other_open)
            UNION SELECT id FROM unnest(other_open) AS id WHERE id > one OR id = ANY (one_open)
            ORDER BY 1
        );
        IF cardinality(left_open) > 256 THEN
            delivered := left_open[1] - 1;
            left_open := '{}';
        END IF;
    END $$
"""

# Merges cursors, in the order of owners, and removes rows that were delivered and are in no archive.
DELIVERED = """
    CREATE FUNCTION xmppd_log_delivered(
        held integer[], owners bytea[], upto bigint[], opens text[], purge_owners bytea[], purge_ids bigint[]
    ) RETURNS bigint LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
    DECLARE
        removed bigint := 0;
    BEGIN
        PERFORM xmppd_hold_slots(held);
        INSERT INTO log_cursor AS stored (owner, delivered, open)
            SELECT digest, upto[n], listed.open::bigint[]
            FROM unnest(owners, opens) WITH ORDINALITY AS listed(digest, open, n) ORDER BY n
            ON CONFLICT (owner) DO UPDATE SET (delivered, open) = (
                SELECT merged.delivered, merged.left_open
                FROM xmppd_log_union(stored.delivered, stored.open, excluded.delivered, excluded.open) AS merged
            );
        IF purge_ids IS NOT NULL THEN
            DELETE FROM log USING unnest(purge_owners, purge_ids) AS listed(digest, number)
                WHERE owner = digest AND id = number AND flags & 1 = 0;
            GET DIAGNOSTICS removed = ROW_COUNT;
        END IF;
        RETURN removed;
    END $$
"""

# Makes a partition for ids from `low` to below `high`. What the DEFAULT has of them moves; nobody else is let near it
# meanwhile, and all is one statement, so that no client can keep the lock.
PARTITION = """
    CREATE FUNCTION xmppd_log_partition(partition text, low bigint, high bigint) RETURNS void LANGUAGE plpgsql
    SET lock_timeout = '250ms' AS $$
    BEGIN
        IF to_regclass(quote_ident(partition)) IS NOT NULL THEN
            RETURN;
        END IF;
        EXECUTE format(
            'CREATE TABLE %I (LIKE log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', partition
        );
        LOCK TABLE log_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'WITH moved AS (DELETE FROM log_default WHERE id >= $1 AND id < $2 RETURNING *)'
            'INSERT INTO %I SELECT * FROM moved', partition
        ) USING low, high;
        EXECUTE format('ALTER TABLE log ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', partition, low, high);
    END $$
"""

FUNCTIONS = (HOLD_SLOTS, APPEND, UNION, DELIVERED, PARTITION)


def upgrade() -> None:
    """Create the tables; the partitions by month are made by whoever uses them."""
    _create_log()
    _create_heads_and_cursors()
    if _is_postgres():
        op.create_primary_key("pk_log", "log", ["owner", "id"])
        op.create_index("ix_log_owner_peer_key_id", "log", ["owner", "peer_key", "id"])
        op.execute("CREATE TABLE log_default PARTITION OF log DEFAULT")
        op.execute(WRITERS)
        for function in FUNCTIONS:
            op.execute(function)
    else:
        op.create_index("ix_log_owner_id_peer_key", "log", ["owner", "id", "peer_key"])


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _create_log() -> None:
    op.create_table(
        "log",
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("peer_key", sa.LargeBinary, nullable=False),
        sa.Column("peer", address(), nullable=False),
        sa.Column("direction", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("flags", sa.SmallInteger, nullable=False),
        sa.Column("origin_id", sa.Text),
        sa.Column("key", sa.LargeBinary),
        sa.Column("stanza", sa.LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (id)",
    )


def _create_heads_and_cursors() -> None:
    open_ids = sa.Text().with_variant(ARRAY(sa.BigInteger), "postgresql")
    op.create_table(
        "log_head",
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("jid", address(), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("before_id", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_log_head"),
        postgresql_with={"fillfactor": 50},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_cursor",
        sa.Column("owner", sa.LargeBinary, nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("open", open_ids, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_log_cursor"),
        postgresql_with={"fillfactor": 50},
        sqlite_with_rowid=False,
    )

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alerts reach people: channels, the escalation list, and the outbox between them and the alerts. */
export class AlertDeliveries1764000004000 implements MigrationInterface {
  readonly name = 'AlertDeliveries1764000004000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE alert_channels (
        id uuid NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        settings jsonb NOT NULL,
        secret_id uuid,
        not_before timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        removed_at timestamptz,
        CONSTRAINT pk_alert_channels PRIMARY KEY (id),
        CONSTRAINT ck_alert_channels_kind CHECK (kind IN ('pagerduty', 'slack', 'smtp'))
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_alert_channels_name ON alert_channels (name) WHERE removed_at IS NULL`);
    await db.query(`
      CREATE TABLE escalation_contacts (
        level integer NOT NULL,
        name text NOT NULL,
        channel_ids uuid[] NOT NULL,
        wait_seconds integer NOT NULL,
        CONSTRAINT pk_escalation_contacts PRIMARY KEY (level),
        CONSTRAINT ck_escalation_contacts_wait CHECK (wait_seconds > 0)
      )`);
    await db.query(`
      CREATE TABLE alert_deliveries (
        id uuid NOT NULL,
        alert_id uuid NOT NULL,
        channel_id uuid NOT NULL,
        action text NOT NULL,
        level integer NOT NULL,
        urgency smallint NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        note text,
        attempts integer NOT NULL DEFAULT 0,
        next_try_at timestamptz NOT NULL DEFAULT now(),
        leased_until timestamptz,
        failure text,
        handed_on_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        CONSTRAINT pk_alert_deliveries PRIMARY KEY (id),
        CONSTRAINT fk_alert_deliveries_alert FOREIGN KEY (alert_id) REFERENCES alerts (id),
        CONSTRAINT fk_alert_deliveries_channel FOREIGN KEY (channel_id) REFERENCES alert_channels (id),
        CONSTRAINT uq_alert_deliveries_once UNIQUE (alert_id, channel_id, action),
        CONSTRAINT ck_alert_deliveries_action CHECK (action IN ('trigger', 'resolve')),
        CONSTRAINT ck_alert_deliveries_state CHECK (state IN ('waiting', 'sent', 'refused', 'not_needed')),
        CONSTRAINT ck_alert_deliveries_ended CHECK ((state = 'waiting') = (ended_at IS NULL))
      )`);
    await db.query(`
      CREATE INDEX ix_alert_deliveries_waiting ON alert_deliveries (channel_id, urgency, next_try_at)
      WHERE state = 'waiting'`);

    // Who is told in which order; without a list, all channels one after the other.
    await db.query(`
      CREATE FUNCTION alert_routes() RETURNS TABLE (level integer, place bigint, channel_id uuid) LANGUAGE sql STABLE AS $$
        SELECT e.level, u.place, u.channel_id
        FROM escalation_contacts e CROSS JOIN LATERAL unnest(e.channel_ids) WITH ORDINALITY AS u (channel_id, place)
        JOIN alert_channels c ON c.id = u.channel_id AND c.removed_at IS NULL
        UNION ALL
        SELECT 1, row_number() OVER (ORDER BY c.created_at, c.id), c.id FROM alert_channels c
        WHERE c.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM escalation_contacts)
      $$`);
    // The next channel, from a level of the list on, that wasn't tried for this alert and isn't what the alert is about.
    await db.query(`
      CREATE FUNCTION tell_alert(told uuid, from_level integer, why text) RETURNS uuid LANGUAGE sql AS $$
        INSERT INTO alert_deliveries (id, alert_id, channel_id, action, level, urgency, note)
        SELECT gen_random_uuid(), a.id, r.channel_id, 'trigger', r.level,
          array_position(ARRAY['critical', 'error', 'warning', 'info'], a.severity), why
        FROM alerts a CROSS JOIN alert_routes() r
        WHERE a.id = told AND r.level >= from_level AND a.dedup_key <> 'channel_failed:' || r.channel_id
          AND NOT EXISTS (SELECT 1 FROM alert_deliveries d
            WHERE d.alert_id = a.id AND d.channel_id = r.channel_id AND d.action = 'trigger')
        ORDER BY r.level, r.place LIMIT 1
        ON CONFLICT ON CONSTRAINT uq_alert_deliveries_once DO NOTHING
        RETURNING channel_id
      $$`);
    // By triggers, so that whoever raises or ends an alert, now or later, can't forget to have it told.
    await db.query(`
      CREATE FUNCTION alert_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM tell_alert(NEW.id, 0, NULL);
        RETURN NULL;
      END $$`);
    await db.query(`
      CREATE TRIGGER alert_is_told AFTER INSERT ON alerts
      FOR EACH ROW WHEN (NEW.resolved_at IS NULL) EXECUTE FUNCTION alert_is_told()`);
    // Whoever was told, or may have been, hears that it is over; whoever wasn't hears nothing.
    await db.query(`
      CREATE FUNCTION alert_end_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE alert_deliveries SET state = 'not_needed', ended_at = now()
        WHERE alert_id = NEW.id AND action = 'trigger' AND state = 'waiting' AND (leased_until IS NULL OR leased_until < now());
        INSERT INTO alert_deliveries (id, alert_id, channel_id, action, level, urgency)
        SELECT gen_random_uuid(), NEW.id, d.channel_id, 'resolve', d.level, d.urgency
        FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.removed_at IS NULL
        WHERE d.alert_id = NEW.id AND d.action = 'trigger' AND (d.state = 'sent' OR (d.state <> 'refused' AND d.attempts > 0))
        ON CONFLICT ON CONSTRAINT uq_alert_deliveries_once DO NOTHING;
        RETURN NULL;
      END $$`);
    await db.query(`
      CREATE TRIGGER alert_end_is_told AFTER UPDATE OF resolved_at ON alerts
      FOR EACH ROW WHEN (OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL) EXECUTE FUNCTION alert_end_is_told()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TRIGGER alert_end_is_told ON alerts`);
    await db.query(`DROP TRIGGER alert_is_told ON alerts`);
    await db.query(`DROP FUNCTION alert_end_is_told()`);
    await db.query(`DROP FUNCTION alert_is_told()`);
    await db.query(`DROP FUNCTION tell_alert(uuid, integer, text)`);
    await db.query(`DROP FUNCTION alert_routes()`);
    await db.query(`DROP TABLE alert_deliveries`);
    await db.query(`DROP TABLE escalation_contacts`);
    await db.query(`DROP TABLE alert_channels`);
  }
}

import type pg from 'pg';

export interface Fleet {
  devices: number;
  /** Of each device's disks, an hour apart, the newest at most an hour old. */
  observations: number;
}

/** SQL: ids of version 7 that follow one another, as they do when rows come in. */
const id = (number: string): string => `('01900000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;

/** The id of a device of the fleet, from 1. */
export function fleetDeviceId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

/**
 * Devices and the log of their disks. Of twenty-five, twenty-one are always encrypted, two are suspended, one isn't
 * encrypted and of one nobody knows; and each hundredth look fails. Triggers don't fire here, so the newest knowledge is
 * written as well.
 */
export async function seedFleet(db: pg.PoolClient, { devices, observations }: Fleet): Promise<void> {
  await db.query(`INSERT INTO device_models (id, name, manufacturer) VALUES (gen_random_uuid(), 'Fleet', 'Acme')`);
  await db.query(
    `INSERT INTO devices (id, asset_tag, serial, model_id, state)
     SELECT ${id('n')}, 'fleet-' || n, 'fleet-' || n, m.id, 'in_stock'
     FROM generate_series(1, $1::int) n, device_models m WHERE m.name = 'Fleet'`,
    [devices],
  );
  // Indexes that are made at the end cost half of what they cost row by row.
  const { rows: indexes } = await db.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename = 'device_observations' AND indexname LIKE 'ix\\_%'`,
  );
  for (const { name } of indexes) await db.query(`DROP INDEX ${name}`);
  await db.query(
    `INSERT INTO device_observations (id, device_id, kind, value, source, agent, agent_version, observed_at, recorded_at, volumes)
     SELECT ${id('seen::bigint * $1::int + n')}, ${id('n')}, 'disk_encryption',
       CASE WHEN (seen + n) % 100 = 0 OR n % 25 = 0 THEN 'unknown' WHEN n % 25 = 1 THEN 'not_encrypted'
         WHEN n % 25 IN (2, 3) THEN 'suspended' ELSE 'encrypted' END,
       'osquery', 'osquery', '5.24.0', t.at, t.at + interval '20 seconds',
       '[{"volume": "C:", "role": "system", "state": "encrypted", "method": "XTS_AES_256", "percentage": 100, "protectors": ["tpm"]}]'
     FROM generate_series(0, $2::int - 1) seen, generate_series(1, $1::int) n
     CROSS JOIN LATERAL (SELECT now() - ($2::int - 1 - seen) * interval '1 hour' - n % 3540 * interval '1 second' - interval '1 minute' AS at) t`,
    [devices, observations],
  );
  for (const { definition } of indexes) await db.query(definition);
  await db.query(
    `INSERT INTO device_encryption (device_id, state, observation_id, observed_at, in_vain_at)
     SELECT d.id, COALESCE(answer.value, 'unknown'), answer.id, answer.observed_at, vain.observed_at
     FROM devices d
     LEFT JOIN LATERAL (SELECT id, value, observed_at FROM device_observations o WHERE o.device_id = d.id
       AND kind = 'disk_encryption' AND value <> 'unknown' ORDER BY observed_at DESC, id DESC LIMIT 1) answer ON true
     LEFT JOIN LATERAL (SELECT observed_at FROM device_observations o WHERE o.device_id = d.id
       AND kind = 'disk_encryption' AND value = 'unknown' ORDER BY observed_at DESC LIMIT 1) vain ON true`,
  );
}

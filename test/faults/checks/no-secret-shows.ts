import type { ServiceUnderTest } from '../stage/service-under-test.js';

/** Canary secrets stand in no log, in nothing that Redis ever heard, and in no row of PostgreSQL in the clear (I7). */
export async function checkSecrets(service: ServiceUnderTest): Promise<string[]> {
  const places: { place: string; text: string }[] = [
    ...service.processes.map(({ name, output }) => ({ place: `the log of the ${name}`, text: output })),
    { place: 'what Redis heard', text: service.redis?.everythingHeard ?? '' },
    ...(await everyTable(service)),
  ];
  return places.flatMap(({ place, text }) => {
    const shown = service.canaries.filter((canary) => canary.length > 5 && text.includes(canary));
    return shown.length > 0 ? [`${place} shows ${shown.length} secrets, such as ${shown[0]?.slice(0, 6)}… (I7)`] : [];
  });
}

async function everyTable(service: ServiceUnderTest): Promise<{ place: string; text: string }[]> {
  const tables = await service.rows<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const places = [];
  for (const { name } of tables) {
    const rows = await service.rows<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
    places.push({ place: `the table ${name}`, text: rows.map(({ text }) => text).join('\n') });
  }
  return places;
}

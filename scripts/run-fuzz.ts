import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cloneFolder } from './embedded/places.js';

const USAGE = `npm run fuzz [-- --seed 1] [-- --minutes 5]

Sends valid, nearly valid and hostile requests to every operation of the OpenAPI document, on a service and a PostgreSQL
of its own, and judges each answer: no 5xx, and nothing that the document doesn't describe. Calls nothing but this machine.

  --seed N     what is drawn (default: another one each time; it is told)
  --minutes M  for how long (default 5)
`;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, minutes: { type: 'string', default: '5' }, help: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const minutes = Number(values.minutes);
if (values.help || !Number.isInteger(seed) || !(minutes > 0)) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  console.log(`seed ${seed}, ${minutes} minutes`);
  const vitest = join(cloneFolder(), 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', 'test/fuzz/fuzz.spec.ts'], {
    cwd: cloneFolder(),
    env: { ...process.env, QM_FUZZ_SEED: String(seed), QM_FUZZ_MINUTES: String(minutes) },
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => (process.exitCode = code ?? 1));
}

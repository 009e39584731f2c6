/**
 * Runs one SCIM app as a process of its own:
 *
 *     SCIM_TOKEN=… node dist/scripts/demo/scim-app/main.js --dir FOLDER --port PORT [--groups engineering,everyone]
 *
 * Prints `scim-app ready on http://127.0.0.1:PORT` once it answers; ends on SIGTERM, SIGINT and with its parent.
 */
import { parseArgs } from 'node:util';
import { startScimApp } from './scim-app.js';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, port: { type: 'string' }, groups: { type: 'string', default: '' } },
});
const scimToken = process.env['SCIM_TOKEN'];
if (!values.dir || !values.port || !scimToken) {
  console.error('usage: SCIM_TOKEN=… main.js --dir FOLDER --port PORT [--groups NAME,NAME]');
  process.exit(2);
}

const app = await startScimApp({
  folder: values.dir,
  port: Number(values.port),
  scimToken,
  groups: values.groups.split(',').filter((name) => name !== ''),
});
console.log(`scim-app ready on ${app.url}`);

const end = () => void app.close().then(() => process.exit(0));
process.once('SIGTERM', end);
process.once('SIGINT', end);
// Started with a channel, it doesn't outlive its parent.
process.once('disconnect', end);

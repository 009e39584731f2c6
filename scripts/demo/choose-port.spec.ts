import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { choosePort, PortTaken } from './choose-port.js';

let other: Server;
let taken: number;

beforeEach(async () => {
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  taken = (other.address() as AddressInfo).port;
});

afterEach(() => {
  other.close();
});

it('takes the next free port when nobody insisted on the taken one', async () => {
  expect(await choosePort(taken, false)).toBeGreaterThan(taken);
});

it('refuses when somebody insisted on it', async () => {
  await expect(choosePort(taken, true)).rejects.toThrow(PortTaken);
});

it('waits for a port that is just being left', async () => {
  const chosen = choosePort(taken, true);
  other.close();
  expect(await chosen).toBe(taken);
});

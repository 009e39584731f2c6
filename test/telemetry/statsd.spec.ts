import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/platform/config/config.js';
import { GaugeSender } from '../../src/platform/telemetry/gauge-sender.service.js';
import { Readings, type Reading } from '../../src/platform/telemetry/readings.service.js';
import { Telemetry } from '../../src/platform/telemetry/telemetry.js';
import { waitFor } from '../support/wait-for.js';

describe('a StatsD', () => {
  let socket: Socket;
  let packets: string[];
  let telemetry: Telemetry;
  beforeEach(async () => {
    packets = [];
    socket = createSocket('udp4');
    socket.on('message', (packet) => packets.push(packet.toString()));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    telemetry?.onModuleDestroy();
    socket.close();
  });

  const start = (suffix = '') =>
    (telemetry = new Telemetry(
      loadConfig({
        DATABASE_URL: 'postgres://db/x',
        QUARTERMASTER_KEY_FILE: 'none',
        STATSD_URL: `udp://127.0.0.1:${socket.address().port}${suffix}`,
      }),
    ));
  const got = (count: number) =>
    waitFor(`${count} lines are there`, () => {
      const lines = packets.flatMap((packet) => packet.split('\n'));
      return lines.length >= count && lines;
    });

  it('gets counts and times as they happen, labels as parts of the name', async () => {
    start();
    telemetry.counter({ name: 'quartermaster_leases_lost_total', help: 'x', labels: ['cause'] })(
      { cause: 'worker gone' },
      3,
    );
    telemetry.timer({ name: 'quartermaster_loss_to_confirmed_seconds', help: 'x', labels: [] }, [1])({}, 1.2345);
    expect(await got(2)).toEqual([
      'quartermaster.leases_lost_total.worker_gone:3|c',
      'quartermaster.loss_to_confirmed:1235|ms',
    ]);
  });

  it('gets a prefix and tags when that is asked for', async () => {
    start('/acme?tags=datadog');
    telemetry.counter({ name: 'quartermaster_x_total', help: 'x', labels: ['tool', 'lane'] })({
      tool: 'git:hub|1',
      lane: 'bulk',
    });
    expect(await got(1)).toEqual(['acme.x_total:1|c|#tool:git_hub_1,lane:bulk']);
  });

  it('gets levels, in packets that cross a network whole, and a 0 once for what is gone', async () => {
    start();
    let steps: Reading[] = Array.from({ length: 100 }, (_, index) => ({
      name: 'quartermaster_steps',
      labels: { tool: `tool-${index}`, state: 'ready' },
      value: index,
    }));
    const levels = () => Promise.resolve(steps);
    const sender = new GaugeSender(telemetry, Object.assign(new Readings(), { levels }));
    await sender.send();
    const lines = await got(100);
    expect(lines).toContain('quartermaster.steps.tool-42.ready:42|g');
    expect(packets.length).toBeGreaterThan(1);
    expect(Math.max(...packets.map((packet) => packet.length))).toBeLessThanOrEqual(1_432);

    packets.length = 0;
    steps = steps.slice(0, 99);
    await sender.send();
    expect(await got(100)).toContain('quartermaster.steps.tool-99.ready:0|g');
    packets.length = 0;
    await sender.send();
    expect(await got(99)).not.toContain('quartermaster.steps.tool-99.ready:0|g');
  });

  it('that is away holds up nothing', () => {
    start();
    socket.close();
    const count = telemetry.counter({ name: 'quartermaster_x_total', help: 'x', labels: [] });
    for (let times = 0; times < 100; times += 1) count({});
    socket = createSocket('udp4');
  });
});

describe('levels', () => {
  const STEPS = { of: 'steps', shows: { quartermaster_steps: 'Steps.' } };
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  function counting(costMs = 0) {
    const readings = new Readings();
    let reads = 0;
    readings.add({
      ...STEPS,
      read: () => {
        reads += 1;
        vi.advanceTimersByTime(costMs);
        return Promise.resolve([{ name: 'quartermaster_steps', labels: {}, value: reads }]);
      },
    });
    return { readings, reads: () => reads };
  }

  it('are read once for however many ask, and not again for ten seconds; they tell their age', async () => {
    const { readings, reads } = counting();
    await Promise.all([1, 2, 3].map(() => readings.levels()));
    vi.advanceTimersByTime(9_000);
    expect(await readings.levels()).toEqual([
      { name: 'quartermaster_steps', labels: {}, value: 1 },
      { name: 'quartermaster_readings_age_seconds', labels: { of: 'steps' }, value: 9 },
    ]);
    vi.advanceTimersByTime(2_000);
    await readings.levels();
    expect(reads()).toBe(2);
  });

  it('that are dear are read seldom: one twentieth of the time', async () => {
    const { readings, reads } = counting(3_000);
    await readings.levels();
    vi.advanceTimersByTime(50_000);
    await readings.levels();
    expect(reads()).toBe(1);
    vi.advanceTimersByTime(11_000);
    await readings.levels();
    expect(reads()).toBe(2);
  });

  it('that can not be read are shown for a while with their age, and then no more', async () => {
    const readings = new Readings();
    let away = false;
    readings.add({
      ...STEPS,
      read: () => (away ? Promise.reject(new Error('PostgreSQL is away')) : Promise.resolve([])),
    });
    await readings.levels();
    away = true;
    vi.advanceTimersByTime(20_000);
    expect(await readings.levels()).toMatchObject([{ value: 20 }]);
    vi.advanceTimersByTime(11_000);
    await expect(readings.levels()).rejects.toThrow('PostgreSQL is away');
  });
});

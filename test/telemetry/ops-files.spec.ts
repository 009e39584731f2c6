import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { Measurements } from '../../src/platform/telemetry/measurements.service.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

const OPS = join(cloneFolder(), 'ops');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

const Rules = z.object({ groups: z.array(z.object({ rules: z.array(z.looseObject({ expr: z.string() })) })) });
const Dashboard = z.object({
  panels: z.array(z.looseObject({ title: z.string(), targets: z.array(z.looseObject({ expr: z.string() })) })),
});

async function expressions(): Promise<string[]> {
  const rules = Rules.parse(parse(await readFile(join(OPS, 'prometheus-rules.yml'), 'utf8')));
  const dashboard = Dashboard.parse(JSON.parse(await readFile(join(OPS, 'grafana-dashboard.json'), 'utf8')));
  return [
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => expr)),
  ];
}

describe('the dashboard and the alert rules', () => {
  let test: ServiceApp;
  beforeAll(async () => {
    test = await startServiceApp();
  });
  afterAll(() => test?.close());

  it('name metrics that there are, and use all of ours', async () => {
    await test.app.get(Measurements, { strict: false }).write('test');
    const { text } = await (await test.caller('prometheus', 'metrics:read')).get('/metrics').expect(200);
    const shown = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
    const used = new Set(
      (await expressions()).flatMap((expression) =>
        [...expression.matchAll(/\b((?:quartermaster|process|nodejs)_\w+)/g)].map(([, name]) =>
          name?.replace(/_(bucket|sum|count)$/, ''),
        ),
      ),
    );
    expect(used.size).toBeGreaterThan(10);
    expect([...used].filter((name) => !shown.has(name))).toEqual([]);
    expect([...shown].filter((name) => name?.startsWith('quartermaster_') && !used.has(name))).toEqual([]);
  });

  it('an operator finds each metric in docs/operations.md', async () => {
    const { text } = await (await test.caller('prometheus', 'metrics:read')).get('/metrics').expect(200);
    const handbook = await readFile(join(cloneFolder(), 'docs/operations.md'), 'utf8');
    const ours = [...text.matchAll(/^# TYPE (quartermaster_\w+)/gm)].map(([, name]) => name ?? '');
    expect(ours.filter((name) => !handbook.includes(`\`${name}\``))).toEqual([]);
  });

  describe.skipIf(!hasPromtool)('promtool', () => {
    it.each([
      ['check', 'prometheus-rules.yml'],
      ['test', 'prometheus-rules.test.yml'],
    ])('%s rules is content with %s', (command, file) => {
      const { status, stdout, stderr } = spawnSync('promtool', [command, 'rules', join(OPS, file)], {
        encoding: 'utf8',
      });
      expect(`${stdout}${stderr}`).toContain('SUCCESS');
      expect(status).toBe(0);
    });
  });
});

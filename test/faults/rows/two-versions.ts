import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import type { Fault, Scene } from '../fault.js';

/** A second build beside the first, with the packages of the same clone, that says another version. */
async function otherBuild({ service }: Scene): Promise<string> {
  const home = join(service.installation.folder, 'other-version');
  const build = join(home, 'dist');
  if (existsSync(build)) return build;
  await mkdir(home, { recursive: true });
  const manifest = JSON.parse(await readFile(join(cloneFolder(), 'package.json'), 'utf8')) as object;
  await writeFile(join(home, 'package.json'), JSON.stringify({ ...manifest, version: '0.0.0-other' }));
  await symlink(join(cloneFolder(), 'node_modules'), join(home, 'node_modules'));
  await cp(join(cloneFolder(), 'dist'), build, { recursive: true });
  return build;
}

const rollingRestart: Fault = {
  name: 'one process after the other is replaced by another version, and back',
  async run(scene) {
    const { service, company } = scene;
    const builds = [await otherBuild(scene), join(cloneFolder(), 'dist')];
    const crashesBefore = await crashesOf(scene);
    for (const build of builds) {
      for (const one of service.processes) {
        const newcomer = company.joins();
        one.build = build;
        await one.replace();
        await newcomer;
      }
      await service.untilWell();
    }
    const clean = service.processes.every(({ endings }) => endings.at(-1)?.how === 'exit code 0');
    scene.promise(
      clean,
      `a process did not end cleanly: ${service.processes.map(({ endings }) => endings.at(-1)?.how).join(', ')}`,
    );
    const crashes = (await crashesOf(scene)) - crashesBefore;
    scene.say(`${crashes} steps were interrupted by it`);
  },
};

const together: Fault = {
  name: 'old and new workers take from the same lanes, and one of them dies',
  async run(scene) {
    const { service, company } = scene;
    const [, other] = service.workers;
    other.build = await otherBuild(scene);
    await other.replace();
    try {
      const newcomers = [await company.joins(), await company.joins(), await company.joins('sales')];
      service.workers[0].send('SIGKILL');
      await Promise.all(newcomers.map((one) => company.untilAsItShould(one)));
      await Promise.all(newcomers.map((one) => company.leaves(one)));
      await Promise.all(newcomers.map((one) => company.untilAsItShould(one)));
    } finally {
      other.build = join(cloneFolder(), 'dist');
      await other.replace();
    }
    await service.untilWell();
    scene.say('three people came and went through both versions');
  },
};

async function crashesOf({ service }: Scene): Promise<number> {
  const [row] = await service.rows<{ crashes: number }>(`SELECT COALESCE(sum(crashes), 0)::int AS crashes FROM steps`);
  return row?.crashes ?? 0;
}

export const twoVersions: readonly Fault[] = [rollingRestart, together];

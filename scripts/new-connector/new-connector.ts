import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { cloneFolder } from '../embedded/places.js';

/** The pattern lies here as code of its own, checked like all other code: a connector for a tool that there isn't. */
const PATTERN = join(cloneFolder(), 'scripts', 'new-connector', 'example-tool');

/** What of the pattern becomes which file. A `.spec.ts` there would run with our own tests. */
const FILES: Readonly<Record<string, (name: string) => string>> = {
  'manifest.ts': () => 'manifest.ts',
  'client.ts': () => 'client.ts',
  'connector.ts': () => 'connector.ts',
  'suite.ts': (name) => `${name}.spec.ts`,
  'README.md': () => 'README.md',
};

/** Why no connector was made. The message says what to do. */
export class CannotMake extends Error {
  override readonly name = 'CannotMake';
}

/**
 * Makes `connectors/<name>` below `root`, and nothing else. Answers the files it wrote, relative to `root`.
 *
 * @throws {CannotMake} for a name that can't be one, and when the folder is there already
 */
export async function newConnector(root: string, name: string): Promise<readonly string[]> {
  const words = wordsOf(name);
  const folder = join('connectors', name);
  await makeFolder(join(root, folder), folder);
  const written: string[] = [];
  for (const [source, target] of Object.entries(FILES)) {
    const file = join(folder, target(name));
    const text = inTheNameOf(await readFile(join(PATTERN, source), 'utf8'), name, words);
    // A longer or shorter name breaks lines elsewhere.
    const style = await resolveConfig(join(PATTERN, source));
    await writeFile(join(root, file), await format(text, { ...style, filepath: file }));
    written.push(file);
  }
  return written;
}

function wordsOf(name: string): readonly string[] {
  if (name === '') throw new CannotMake('Say what the connector is called: npm run new-connector acme-crm');
  if (name.length > 40 || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new CannotMake(
      `“${name}” can’t be a connector’s name: small letters, digits and single hyphens, a letter first, at most 40 (acme-crm).`,
    );
  }
  return name.split('-');
}

async function makeFolder(path: string, shown: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new CannotMake(`${shown} is there already; nothing was changed. Choose another name.`);
    if (code === 'ENOENT') throw new CannotMake('There is no folder “connectors” here.');
    throw error;
  }
}

function inTheNameOf(text: string, name: string, words: readonly string[]): string {
  const pascal = words.map(capitalised).join('');
  const camel = `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`;
  const title = capitalised(words.join(' '));
  return text
    .replaceAll('../../../connectors/kit/', '../kit/')
    .replaceAll('ExampleTool', pascal)
    .replaceAll('exampleTool', camel)
    .replaceAll('Example tool', title)
    .replaceAll('example-tool', name);
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

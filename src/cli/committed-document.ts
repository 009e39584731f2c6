import { readFile, writeFile } from 'node:fs/promises';
import { CommandFailure } from './command.js';

export interface DocumentOptions {
  check?: boolean;
  write?: boolean;
  file: string;
}

/**
 * What every command does with a document that is made from the code and committed: print it, write it, or exit with 1
 * when the file differs.
 *
 * @param command its name, for the sentence that says how to mend the difference
 */
export async function printWriteOrCheck(
  command: string,
  document: string,
  { check, write, file }: DocumentOptions,
  out: (line: string) => void,
): Promise<void> {
  if (write) {
    await writeFile(file, document);
    out(`wrote ${file}`);
  } else if (check) {
    const committed = await readFile(file, 'utf8').catch(() => '');
    if (committed !== document) {
      throw new CommandFailure(
        `${file} is not what the code says. Run \`quartermaster ${command} --write\` and look at the difference.`,
      );
    }
    out(`${file} is what the code says.`);
  } else out(document.trimEnd());
}

import { commandLine, parentOf } from './embedded/process-list.js';

/**
 * Resolves with why to stop: Ctrl-C, a polite kill, a closed terminal, or the death of the program that started us.
 * Asked again and again, it makes no difference: npm hands on a Ctrl-C that the terminal has sent to us as well.
 */
export function untilAskedToStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
    const starters = startersOfUs();
    if (starters.length === 0) return;
    // Looking costs a `ps` where there is no /proc.
    const everyMs = process.platform === 'linux' ? 250 : 2_000;
    setInterval(() => {
      if (lineage(starters.length).join() !== starters.join()) resolve('the program that started it is gone');
    }, everyMs).unref();
  });
}

/**
 * The processes from our parent up to npm, or up to the older Node's bootstrap: they wait for us as long as they live.
 * Killed outright they can't tell us, but then somebody in the row gets another parent. Empty when neither started us:
 * a shell may end and leave us running, as with nohup.
 */
function startersOfUs(): number[] {
  const above = lineage(6);
  const npm = above.findIndex((pid) => /^npm |npm-cli\.js/.test(commandLine(pid)));
  if (npm >= 0) return above.slice(0, npm + 1);
  return process.env['QUARTERMASTER_WRAPPED'] ? above.slice(0, 1) : [];
}

function lineage(length: number): number[] {
  const pids = [process.ppid];
  for (let last = process.ppid; pids.length < length && last > 1; pids.push(last)) last = parentOf(last);
  return pids;
}

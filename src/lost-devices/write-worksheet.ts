import type { ReachableAccount } from './loss.entity.js';
import type { MachineKnowledge } from './runbook/propose-containment.js';

/** Everything that a breach assessment is about, as it was read. */
export interface AssessedLoss {
  awareAt: Date;
  reportedAt: Date;
  disk: {
    value: string;
    source: string | null;
    observedAt: string | null;
    ageSeconds: number | null;
  };
  machine: MachineKnowledge;
  /** Before the report, of a key that wasn't changed between; and after it. */
  keyReads: { sinceRotation: number; later: number };
  reachable: readonly ReachableAccount[];
  cuts: Cut[];
  lastSignAt: Date | null;
}

/** A step that takes access away. */
interface Cut {
  accountId: string | null;
  tool: string;
  username: string | null;
  state: string;
  /** Of one that is done: what the tool didn't show; or, when somebody attests it, their note. */
  reason: string | null;
  /** Who says that it is done, where the tool can't be asked. */
  attestedBy: string | null;
  confirmedAt: Date | null;
  residualUntil: Date | null;
}

/** What an assessment starts from. Nobody has to believe it: each answer says what shows it, and what is not known. */
export interface Worksheet {
  /** 72 hours after somebody became aware (GDPR, article 33). */
  notifyBy: string;
  /** Whether it can be shown that the disk couldn't be read at the time. */
  encryption: { shown: 'yes' | 'no' | 'unknown'; because: string };
  reachable: (ReachableAccount & { cut: string })[];
  unknowns: string[];
}

const SEVENTY_TWO_HOURS = 72 * 3_600_000;

export function writeWorksheet(loss: AssessedLoss): Worksheet {
  return {
    notifyBy: new Date(loss.awareAt.getTime() + SEVENTY_TWO_HOURS).toISOString(),
    encryption: encryptionShown(loss),
    reachable: loss.reachable.map((account) => ({ ...account, cut: whenCut(account, loss) })),
    unknowns: unknownsOf(loss),
  };
}

function encryptionShown({ disk, machine, keyReads }: AssessedLoss): Worksheet['encryption'] {
  const seen = `${disk.value.replace('_', ' ')}, seen ${disk.observedAt ?? 'never'}${disk.source === null ? '' : ` by ${disk.source}`}`;
  if (disk.value === 'not_encrypted' || disk.value === 'suspended')
    return { shown: 'no', because: `The disk was ${seen}.` };
  if (disk.value !== 'encrypted') return { shown: 'unknown', because: `The disk was ${seen}.` };
  if (keyReads.sinceRotation > 0) {
    return { shown: 'no', because: `The disk was ${seen}; its recovery key had been read and wasn’t changed since.` };
  }
  if (machine.awake === 'yes')
    return { shown: 'no', because: `The disk was ${seen}; the machine was open when it was lost.` };
  if (machine.unlocks !== 'before_boot') {
    return { shown: 'unknown', because: `The disk was ${seen}; it isn’t known to ask for anything before it opens.` };
  }
  if (keyReads.later > 0) {
    return { shown: 'unknown', because: `The disk was ${seen}; its recovery key was read after the report.` };
  }
  return { shown: 'yes', because: `The disk was ${seen}, and opens by a PIN or passphrase only.` };
}

/** Nothing is called shown that a tool didn't show. */
function whenCut(account: ReachableAccount, { cuts, reportedAt }: AssessedLoss): string {
  const there = cuts.filter((cut) => isOf(cut, account));
  if (there.length === 0) return 'nothing was cut there';
  const open = there.find(({ state }) => state !== 'done');
  if (open) return `not shown: the step is ${open.state.replace('_', ' ')}`;
  const last = Math.max(...there.map(({ confirmedAt }) => confirmedAt?.getTime() ?? 0));
  const after = `${((last - reportedAt.getTime()) / 1000).toFixed(1)} s after the report`;
  const words = [...new Set(there.flatMap(({ attestedBy }) => attestedBy ?? []))];
  if (words.length > 0) return `on the word of ${words.join(' and ')}, ${after}; the tool can’t be asked`;
  const residual = there
    .flatMap(({ residualUntil }) => residualUntil ?? [])
    .toSorted((a, b) => b.getTime() - a.getTime())[0];
  const lived = residual ? `; old tokens may have worked until ${residual.toISOString()}` : '';
  const unseen = [...new Set(there.flatMap(({ reason }) => reason ?? []))];
  return [`shown ${after}${lived}`, ...unseen].join('. ');
}

function isOf(cut: Cut, { accountId, tool, username }: ReachableAccount): boolean {
  return accountId === undefined ? cut.tool === tool && cut.username === username : cut.accountId === accountId;
}

function unknownsOf({ machine, keyReads, reachable, lastSignAt }: AssessedLoss): string[] {
  return [
    ...(machine.diskAgeSeconds === null ? ['Nobody ever looked whether the disk is encrypted.'] : []),
    ...(machine.awake === 'unknown' ? ['Whether it was awake and unlocked when it was lost.'] : []),
    ...(machine.unlocks === 'unknown' ? ['What it asks for before it opens its disk.'] : []),
    ...(keyReads.later === 0
      ? []
      : [`What became of its recovery key: it was read after the report, ${timesOf(keyReads.later)}.`]),
    ...reachable
      .filter(({ liveSessions }) => liveSessions === null)
      .map(({ tool }) => `What was signed in at ${tool}: it doesn’t show its sessions.`),
    ...(lastSignAt === null ? [] : [`Who used it at ${lastSignAt.toISOString()}: it gave a sign after the report.`]),
    'What was copied to the disk by hand.',
  ];
}

function timesOf(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

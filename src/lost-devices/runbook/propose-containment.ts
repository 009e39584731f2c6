import type { Containment, ContainmentRow, DISK_KNOWLEDGE, Runbook, UNLOCKS } from './runbook-schema.js';
import { secondsOf } from './runbook-schema.js';

/** What is known of a lost machine, as far as it decides whether it is locked or wiped. */
export interface MachineKnowledge {
  /** What the newest observation before the loss says of the disk. */
  disk: Exclude<(typeof DISK_KNOWLEDGE)[number], 'aged'>;
  /** How old that was at the report, in seconds; null: nobody ever looked. */
  diskAgeSeconds: number | null;
  unlocks: (typeof UNLOCKS)[number];
  /** Whether it was awake and unlocked when it was lost, as the report says. */
  awake: 'yes' | 'no' | 'unknown';
  /** Whether somebody has read a recovery key since the last rotation before the report, or after the report. */
  keyRevealed: boolean;
  legalHold: boolean;
}

export interface Proposal {
  propose: Containment;
  /** In the runbook's words, and what of the machine made it fit. */
  because: string;
  facts: string[];
  /** The row of the table, from 1; null: none fits, and `otherwise` holds. */
  row: number | null;
}

/** The first row of the runbook's table that fits. A proposal only: a person decides, and two for a wipe. */
export function proposeContainment({ containment }: Runbook, known: MachineKnowledge): Proposal {
  const facts = factsOf(known, secondsOf(containment.freshFor));
  const index = containment.rows.findIndex(({ when }) => fits(when, facts));
  const { propose, because } = containment.rows[index] ?? containment.otherwise;
  return {
    propose,
    because,
    facts: inWords(known, containment.freshFor, facts.disk),
    row: index < 0 ? null : index + 1,
  };
}

interface Facts {
  disk: (typeof DISK_KNOWLEDGE)[number];
  unlocks: (typeof UNLOCKS)[number];
  awake: 'yes' | 'no' | 'unknown';
  keyRevealed: 'yes' | 'no';
  legalHold: 'yes' | 'no';
}

/** Old knowledge is no knowledge of "encrypted"; that a disk was not encrypted doesn't get better with age. */
function factsOf(
  { disk, diskAgeSeconds, unlocks, awake, keyRevealed, legalHold }: MachineKnowledge,
  fresh: number,
): Facts {
  const isAged = disk === 'encrypted' && (diskAgeSeconds === null || diskAgeSeconds > fresh);
  return { disk: isAged ? 'aged' : disk, unlocks, awake, keyRevealed: yesNo(keyRevealed), legalHold: yesNo(legalHold) };
}

function fits(when: ContainmentRow['when'], facts: Facts): boolean {
  return (
    (when.disk?.includes(facts.disk) ?? true) &&
    (when.unlocks?.includes(facts.unlocks) ?? true) &&
    (when.awake?.includes(facts.awake) ?? true) &&
    (when.keyRevealed?.includes(facts.keyRevealed) ?? true) &&
    (when.legalHold?.includes(facts.legalHold) ?? true)
  );
}

function inWords(known: MachineKnowledge, freshFor: string, disk: Facts['disk']): string[] {
  const { diskAgeSeconds, unlocks, awake, keyRevealed, legalHold } = known;
  const age = diskAgeSeconds === null ? 'nobody ever looked' : `seen ${spanOf(diskAgeSeconds)} before the report`;
  return [
    `disk: ${known.disk.replace('_', ' ')}, ${age}${disk === 'aged' ? `, which is longer than ${freshFor}` : ''}`,
    `unlocks: ${UNLOCKING[unlocks]}`,
    `awake and unlocked when lost: ${awake}`,
    `recovery key read since its last rotation: ${yesNo(keyRevealed)}`,
    `legal hold: ${yesNo(legalHold)}`,
  ];
}

const UNLOCKING = {
  before_boot: 'by a PIN or passphrase before it starts',
  tpm_only: 'by itself, when it is switched on (TPM only)',
  unknown: 'not known how',
} as const;

function spanOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function yesNo(value: boolean): 'yes' | 'no' {
  return value ? 'yes' : 'no';
}

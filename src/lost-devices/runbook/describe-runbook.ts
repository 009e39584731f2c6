import type { ContainmentRow, Runbook, RunbookTask } from './runbook-schema.js';

/** The page that a person reads, in Markdown: made from the file that the service executes. */
export function describeRunbook(runbook: Runbook): string {
  const { title, introduction, report, scope, tasks, found, drill } = runbook;
  return [
    `# ${title}`,
    '',
    '<!-- Written by `quartermaster runbook document --write` from laptop-lost.yaml, which the service executes. Change that. -->',
    '',
    introduction.trim(),
    '',
    '## Report it',
    '',
    report.trim(),
    '',
    `Proposed is the scope **${scope.propose}**: ${scope.because}`,
    '',
    '## What happens then, by whom, and by when',
    '',
    'The clock runs from the report.',
    '',
    ...table(['', 'what', 'who', 'within', 'ends']),
    ...tasks.map((task, index) =>
      row([
        String(index + 1),
        `[${task.title}](#${anchorOf(task, index)})`,
        task.owner,
        task.within,
        ENDS[task.ends ?? 'by-hand'],
      ]),
    ),
    '',
    ...tasks.flatMap((task, index) => [
      `## ${headingOf(task, index)}`,
      '',
      task.how.trim(),
      '',
      ...(task.ends === 'decide-containment' ? decisionTable(runbook) : []),
    ]),
    '## If it is found',
    '',
    found.trim(),
    '',
    '## Drill it',
    '',
    drill.trim(),
    '',
  ].join('\n');
}

const ENDS: Record<NonNullable<RunbookTask['ends']> | 'by-hand', string> = {
  'freeze-facts': 'with the report',
  'cut-access': 'when every tool shows it',
  'decide-containment': 'with the decision',
  'follow-containment': 'when it is verified, or the risk accepted by name',
  'assess-breach': 'with the decision',
  'give-back-access': 'when access is given back',
  watch: 'when its time is over',
  'by-hand': 'when somebody says so',
};

function decisionTable({ containment: { freshFor, rows, otherwise } }: Runbook): string[] {
  return [
    `The service proposes what the first row that fits says. "Aged": it was seen encrypted, longer than ${freshFor} before the report.`,
    '',
    ...table(['', 'when', 'proposed', 'because']),
    ...rows.map(({ when, propose, because }, index) =>
      row([String(index + 1), inWords(when), `**${propose}**`, because]),
    ),
    row(['', 'otherwise', `**${otherwise.propose}**`, otherwise.because]),
    '',
  ];
}

const NAMES = {
  disk: 'the disk is',
  unlocks: 'it unlocks',
  awake: 'it was awake:',
  keyRevealed: 'a recovery key was read:',
  legalHold: 'legal hold:',
} as const satisfies Record<keyof ContainmentRow['when'], string>;

function inWords(when: ContainmentRow['when']): string {
  return Object.entries(NAMES)
    .flatMap(([key, name]) => {
      const values = when[key as keyof typeof NAMES];
      return values ? [`${name} ${values.map((value) => value.replaceAll('_', ' ')).join(' or ')}`] : [];
    })
    .join(', and ');
}

function headingOf({ title, within, owner }: RunbookTask, index: number): string {
  return `${index + 1}. ${title} (${owner}, ${within})`;
}

/** As GitHub makes it of a heading. */
function anchorOf(task: RunbookTask, index: number): string {
  return headingOf(task, index)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function table(cells: readonly string[]): string[] {
  return [row(cells), row(cells.map(() => '---'))];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

import { escapeHtml } from '../platform/http/plain-page.js';
import type { EvidencePack, PackStep } from './evidence-pack.js';

/** For a screen, a phone and paper; inline, so that the file can be handed on by itself. */
export const EVIDENCE_STYLE = `
      :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 22%, transparent); }
      body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
      h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: 0.25rem; }
      h2 { font-size: 1.15rem; margin: 2.25rem 0 0.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.25rem; }
      h3 { font-size: 1rem; margin: 0; }
      p { margin: 0.5rem 0; }
      code { overflow-wrap: anywhere; font-size: 0.9em; }
      .quiet { opacity: 0.75; }
      ol, ul { padding-left: 1.25rem; margin: 0.5rem 0; }
      li { margin: 0.25rem 0; }
      .times { list-style: none; padding: 0; }
      .times li { display: grid; grid-template-columns: 13.5rem 1fr; gap: 0 1rem; }
      .step { border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.75rem 1rem; margin: 0.75rem 0; break-inside: avoid; }
      .step header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; justify-content: space-between; }
      .state { font-weight: 600; }
      .open { border-left: 0.35rem solid #b45309; }
      .shown { border-left: 0.35rem solid #15803d; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); }
      @media (max-width: 36rem) {
        .times li { grid-template-columns: 1fr; margin: 0.6rem 0; }
        thead { display: none; }
        tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
        td { display: block; border: 0; padding: 0.1rem 0; }
        td:first-child { font-weight: 600; }
      }
      @media print { body { margin: 0; max-width: none; } }
    `;

/** The pack as a page that needs nothing else. The proofs are in the JSON beside it. */
export function evidencePage(pack: EvidencePack): string {
  const title = `Evidence: ${pack.case.kind.replaceAll('_', ' ')}${pack.person ? ` of ${pack.person.displayName}` : ''}`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="robots" content="noindex">
    <title>${escapeHtml(title)}</title>
    <style>${EVIDENCE_STYLE}</style>
  </head>
  <body>
    <h1>${escapeHtml(title)}</h1>
    <p class="quiet">Case <code>${pack.case.id}</code>, ${pack.case.state}. Made ${clock(pack.madeAt)}. All times are UTC.</p>
    <h2>From HR to the decision</h2>
    ${times([
      ...pack.hrEvents.map(({ source, eventType, eventTime, receivedAt, outcome }): TimeLine => [
        receivedAt,
        `HR source “${source}” told ${eventType ?? 'something'}${eventTime ? `, of ${clock(eventTime)}` : ''}: ${outcome}`,
      ]),
      [pack.decision.at, `decided by ${pack.decision.by}${after(pack.decision.secondsAfterHr)}`],
      ...pack.approvals.map(({ at, what, by }): TimeLine => [at, `${what} by ${by}`]),
      ...(pack.case.closedAt ? [[pack.case.closedAt, 'case closed'] satisfies TimeLine] : []),
    ])}
    <h2>Each step, its calls and read-backs</h2>
    ${pack.steps.map(stepHtml).join('\n    ') || '<p>There was nothing to do.</p>'}
    <h2>Devices that are to come back</h2>
    ${list(
      pack.returns.map(({ assetTag, state, askedAt, receivedBy, inspectedBy, condition }) =>
        [
          `${assetTag}: ${state.replace('_', ' ')}, asked for ${clock(askedAt)}`,
          ...(receivedBy === null ? [] : [`received by ${receivedBy}`]),
          ...(inspectedBy === null ? [] : [`inspected by ${inspectedBy}: ${condition?.replace('_', ' ') ?? ''}`]),
        ].join('; '),
      ),
      'None.',
    )}
    <h2>What may still have worked for a while</h2>
    ${list(
      pack.residuals.map(({ toolName, until }) => `${toolName}: until ${clock(until)}`),
      'Nothing that is known.',
    )}
    <h2>What is not proved</h2>
    ${list(
      pack.notProved.map(({ toolName, why }) => (toolName ? `${toolName}: ${why}` : why)),
      'Nothing.',
    )}
    <h2>Which controls this speaks to</h2>
    <table>
      <thead><tr><th>control</th><th>asks</th><th>shown by</th></tr></thead>
      <tbody>
        ${pack.controls.map(({ framework, control, asks, shownBy }) => row([`${framework} ${control}`, asks, shownBy])).join('\n        ')}
      </tbody>
    </table>
    <h2>The sealed audit entries</h2>
    <p>${pack.log.entries.length} entries, proved by one signed checkpoint. Verify them with the log’s key, which the auditor has from
      elsewhere: <code>quartermaster audit verify --evidence evidence.json --key audit-key.txt</code></p>
    <p>The key here, to compare: <code>${escapeHtml(pack.log.key)}</code></p>
    <table>
      <thead><tr><th>place</th><th>time</th><th>what</th><th>by</th></tr></thead>
      <tbody>
        ${pack.log.entries.map(({ index, leaf }) => row([`#${index}`, ...entryWords(leaf)])).join('\n        ')}
      </tbody>
    </table>
  </body>
</html>
`;
}

type TimeLine = [at: string, text: string];

function times(lines: readonly TimeLine[]): string {
  const items = lines.map(
    ([at, text]) => `<li><span class="quiet">${clock(at)}</span><span>${escapeHtml(text)}</span></li>`,
  );
  return `<ul class="times">${items.join('')}</ul>`;
}

function stepHtml(step: PackStep): string {
  const { act, toolName, state, confirmedAt, attestedBy, grant } = step;
  const what = grant ? `${act} ${grant.kind} ${grant.name}` : act.replaceAll('_', ' ');
  const isShown = state === 'done' && attestedBy === null;
  const calls = step.calls.map(({ intendedAt, kind, finishedAt, outcome, errorKind }): TimeLine => [
    intendedAt,
    `${CALLS[kind]}: ${outcome ?? 'no answer'}${errorKind ? ` (${errorKind})` : ''}${finishedAt ? `, by ${clock(finishedAt)}` : ''}`,
  ]);
  return `<section class="step ${isShown ? 'shown' : 'open'}">
      <header><h3>${escapeHtml(`${toolName}: ${what}`)}</h3><span class="state">${escapeHtml(state.replaceAll('_', ' '))}</span></header>
      ${times([
        [step.requestedAt, 'requested'],
        ...calls,
        ...(confirmedAt
          ? [[confirmedAt, attestedBy === null ? 'confirmed' : `done, as ${attestedBy} says`] satisfies TimeLine]
          : []),
      ])}${step.reason ? `<p class="quiet">${escapeHtml(step.reason)}</p>` : ''}
    </section>`;
}

const CALLS = { act: 'call', read_back: 'read-back', look: 'look' } as const;

function entryWords(leaf: string): string[] {
  const { at, action, actor } = JSON.parse(leaf) as { at: string; action: string; actor: { kind: string; id: string } };
  return [clock(at), action, actor.kind === actor.id ? actor.id : `${actor.kind} ${actor.id}`];
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

function list(items: readonly string[], otherwise: string): string {
  if (items.length === 0) return `<p>${otherwise}</p>`;
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

function after(seconds: number | null): string {
  return seconds === null ? '' : `, ${seconds.toFixed(1)} s after HR’s word arrived`;
}

function clock(instant: string): string {
  return instant.replace('T', ' ').replace(/(\.\d{3})?\d*Z$/, '$1');
}

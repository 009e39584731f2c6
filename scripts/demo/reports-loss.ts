import { CaseSummary } from './api-shapes.js';
import type { Colleague } from './joins.js';
import { NotProved } from './report.js';
import type { Stage } from './stage.js';

/** Whoever lost it says so themselves, from any telephone: with the code and without a sign-in. Answers the case. */
export async function reportsLoss(
  { api, report, stranger }: Stage,
  { personId, laptop, reportCode: code }: Colleague,
): Promise<string> {
  const sure = await stranger.submit('/lost/code', { code });
  const form = { code, deviceId: laptop.id, words: 'Left on the night train.' };
  const reported = await stranger.submit('/lost/confirm', form);
  const [opened] = await api.list(`/v1/cases?kind=lost_device&personId=${personId}`, CaseSummary);
  report.prove(
    'reported by its holder at /lost, with their code and no sign-in; the page had said what that ends',
    reported.status === 200 &&
      opened?.openedBy === 'Holder of a report code' &&
      sure.page.includes('Analytics database'),
    { statuses: [sure.status, reported.status], opened },
  );
  if (!opened) throw new NotProved('the report opened a case');
  return opened.id;
}

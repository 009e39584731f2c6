import { escapeHtml, plainPage } from '../../platform/http/plain-page.js';
import type { StepAct } from '../step-states.js';
import type { Task } from './task-links.service.js';

/** What is asked of a person, as they would say it. */
const ASKED: Record<StepAct, string> = {
  discover: 'Look for accounts',
  create_account: 'Create the account',
  grant: 'Give this access',
  restore_account: 'Give the account back',
  suspend_account: 'Suspend the account and end its sessions',
  withdraw: 'Take this access away',
  reset_credentials: 'Give the account new credentials, and end its sessions',
  revoke_device: 'End what this one device signs in with',
  final_look: 'Look whether anything still works',
};

/** @param problem a sentence: what was wrong with what was sent */
export function taskPage(task: Task, problem?: string): string {
  const { act, toolName, personName, username, reason, deadline, madeFor } = task;
  return plainPage(
    `${ASKED[act]}: ${escapeHtml(toolName)}`,
    `${problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
    <dl>
      <dt>Whose</dt><dd>${escapeHtml(personName)}</dd>
      ${username === null ? '' : `<dt>Account</dt><dd><code>${escapeHtml(username)}</code></dd>`}
      ${reason === null ? '' : `<dt>Why by hand</dt><dd>${escapeHtml(reason)}</dd>`}
      ${deadline === null ? '' : `<dt>By</dt><dd>${deadline.toISOString().slice(0, 16).replace('T', ' ')} UTC</dd>`}
    </dl>
    <form method="post" enctype="multipart/form-data">
      <label>What you did, and how it can be seen <textarea name="note" rows="3" required minlength="3" maxlength="1500"></textarea></label>
      <label>A screenshot, if you like (2 MiB at most) <input type="file" name="file"></label>
      <button type="submit">I did it</button>
    </form>
    <p>It is kept as the word of ${escapeHtml(madeFor)}. Can't you do it, or is it not for you? Tell IT, and leave this page.</p>`,
  );
}

export function thanksPage(): string {
  return plainPage(
    'Thank you',
    '<p>It was written down, with the time. Where the tool can be asked, it is asked now. You can close this page.</p>',
  );
}

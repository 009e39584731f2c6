import { escapeHtml, plainPage } from '../../platform/http/plain-page.js';
import type { CodeHolder } from '../../devices/report-codes/report-codes.service.js';

/** A laptop that the holder of a code may report, and at which tools access would end. */
export interface Reportable {
  deviceId: string;
  assetTag: string;
  modelName: string;
}

/** What a code opens. */
export interface OwnThings {
  holder: CodeHolder;
  devices: readonly Reportable[];
  /** Where they have access. */
  tools: readonly string[];
}

/** The first page. @param problem a sentence: what was wrong with what was sent */
export function lostPage(problem?: string): string {
  return plainPage(
    'Your laptop is lost?',
    `${problem === undefined ? '' : `<p role="alert"><strong>${escapeHtml(problem)}</strong></p>`}
    <p>Say so now, whatever the hour. It can be taken back; every minute before it can't.</p>
    <h2>With your report code</h2>
    <p>It stands on the card that you got with the laptop.</p>
    <form method="post" action="/lost/code">
      <label>Report code <input name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40"></label>
      <button type="submit">Go on</button>
    </form>
    <h2>Without it</h2>
    <p>Somebody of IT calls you back, to be sure that it is you. Nothing is cut before.</p>
    <form method="post" action="/lost/report">
      <label>Your e-mail address at work <input name="email" type="email" required autocomplete="email" maxlength="254"></label>
      <label>Number on the laptop’s label, if you know it <input name="assetTag" autocomplete="off" maxlength="100"></label>
      <label>A telephone number to call you on <input name="phone" type="tel" autocomplete="tel" maxlength="40"></label>
      <label>What happened <textarea name="words" rows="3" maxlength="1000"></textarea></label>
      <button type="submit">Tell IT</button>
    </form>`,
  );
}

/** What is about to happen, before it does. */
export function surePage(code: string, { holder, devices, tools }: OwnThings): string {
  const choices = devices.map(
    ({ deviceId, assetTag, modelName }, at) =>
      `<label class="choice"><input type="radio" name="deviceId" value="${deviceId}" required${at === 0 && devices.length === 1 ? ' checked' : ''}> ${escapeHtml(modelName)}, ${escapeHtml(assetTag)}</label>`,
  );
  return plainPage(
    `${escapeHtml(holder.displayName)}, is it lost?`,
    `<form method="post" action="/lost/confirm">
      <input type="hidden" name="code" value="${escapeHtml(code)}">
      ${choices.join('\n      ')}
      <p>Your access ends within seconds${tools.length === 0 ? '' : `: ${escapeHtml(tools.join(', '))}`}. You can't work until IT gives it back. If you find the laptop, IT takes the report back.</p>
      <label>What happened <textarea name="words" rows="3" maxlength="1000"></textarea></label>
      <button type="submit">Yes, it is lost: end my access</button>
    </form>`,
  );
}

export function reportedPage(assetTag: string): string {
  return plainPage(
    'It is reported',
    `<p>Your access is being ended, and IT was told that <code>${escapeHtml(assetTag)}</code> is lost. Call them for another laptop; the code is used up.</p>
    <p>If it was stolen, tell the police as well, and give IT the number of the report.</p>`,
  );
}

export function toldPage(): string {
  return plainPage(
    'IT was told',
    `<p>Somebody calls you back, to be sure that it is you. Nothing is cut before that: if nobody calls within a few minutes, call them.</p>`,
  );
}

export function nothingToReportPage(): string {
  return plainPage(
    'There is no laptop in your name',
    `<p>The code is right, but no laptop is recorded as yours. Call IT: they report it by the number on its label.</p>`,
  );
}

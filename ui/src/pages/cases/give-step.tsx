import { useState, type ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { LinkDialog, type MadeLink } from '../../parts/link-dialog.js';
import { text } from '../../text/text.js';

interface Props {
  stepId: string;
  /** The step, in words. */
  what: string;
  onClose: () => void;
}

const WAYS = ['signedIn', 'byLink'] as const;
const SHORTEST = 2;

/** Gives a step that needs a person to somebody, who signs in for it or gets a link. */
export function GiveStep({ stepId, what, onClose }: Props): ReactNode {
  const [typed, setTyped] = useState('');
  const [way, setWay] = useState<(typeof WAYS)[number]>('signedIn');
  const [link, setLink] = useState<MadeLink | null>(null);
  const to = typed.trim();
  const words = text.cases.give;
  if (link !== null) {
    return (
      <LinkDialog link={link} onClose={onClose}>
        <p>{what}</p>
        <p>{words.sendIt(to)}</p>
      </LinkDialog>
    );
  }
  const params = { path: { id: stepId } };
  return (
    <ActDialog
      title={words.title}
      verb={way === 'byLink' ? words.makeLink : words.verb}
      isIncomplete={to.length < SHORTEST}
      // A link is kept here alone, and not in what the page remembers of its acts.
      act={async () => {
        if (way === 'byLink') {
          setLink(await answerOf(api.POST('/v1/steps/{id}/task-link', { params, body: { for: to } })));
        } else await answerOf(api.POST('/v1/steps/{id}/assign', { params, body: { owner: to } }));
      }}
      onDone={() => {
        if (way === 'signedIn') onClose();
      }}
      onClose={onClose}
    >
      <p>{what}</p>
      <TextInput
        label={words.whom}
        description={way === 'byLink' ? words.anAddress : words.hint}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        required
        maxLength={320}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        data-autofocus
      />
      <fieldset className="scopes">
        <legend>{words.how}</legend>
        {WAYS.map((one) => (
          <label key={one} className={one === way ? 'scope scope-chosen' : 'scope'}>
            <input type="radio" name="way" checked={one === way} onChange={() => setWay(one)} />
            <span className="stack-small">
              {words.way[one]}
              <span className="dim small">{words.wayMeans[one]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p>{words.means}</p>
    </ActDialog>
  );
}

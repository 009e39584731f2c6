import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { acknowledgementsQuery } from '../../api/device-queries.js';
import type { Acknowledgement } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { LinkDialog, type MadeLink } from '../../parts/link-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const SHOWN = 5;

/** Who was asked to sign for it, and who did; the newest few. */
export function Signatures({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery(acknowledgementsQuery({ deviceId, limit: SHOWN }));
  return (
    <Section title={text.signatures.title}>
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.signatures.none}</Empty>
          ) : (
            <ul className="rows">
              {items.map((one) => (
                <Signature key={one.id} signature={one} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function Signature({ signature }: { signature: Acknowledgement }): ReactNode {
  const may = useMay();
  const [isAsked, setAsked] = useState(false);
  const { id, personId, signedAt, voidAt, askedAt, linkExpiresAt } = signature;
  const isOpen = signedAt === null && voidAt === null;
  return (
    <li className="row-plain">
      <span className="row-name">
        <PersonLink id={personId} />
      </span>
      <span className="row-detail">
        <SignatureMark signature={signature} />
        {isOpen && (
          <>
            {' · '}
            {text.signatures.asked} <Instant at={askedAt} />
            {linkExpiresAt !== null && (
              <>
                {' · '}
                {text.linkUntil} <Instant at={linkExpiresAt} />
              </>
            )}
          </>
        )}
      </span>
      {isOpen && may('devices:write') && (
        <Button size="xs" variant="default" onClick={() => setAsked(true)}>
          {text.signatures.makeLink}
        </Button>
      )}
      {isAsked && <SignatureLink id={id} onClose={() => setAsked(false)} />}
    </li>
  );
}

function SignatureMark({ signature }: { signature: Acknowledgement }): ReactNode {
  const { signedAt, signedHow, voidAt } = signature;
  if (signedAt !== null) {
    return (
      <>
        <Mark shape="●" tone="good" word={text.signatures.how[signedHow ?? 'signed_in']} /> <Instant at={signedAt} />
      </>
    );
  }
  if (voidAt !== null) return <Mark shape="⤼" tone="over" word={text.signatures.void} />;
  return <Mark shape="○" tone="waiting" word={text.signatures.open} />;
}

/** Makes the link by which the person signs, and shows it this once. */
export function SignatureLink({ id, onClose }: { id: string; onClose: () => void }): ReactNode {
  const [link, setLink] = useState<MadeLink | null>(null);
  if (link === null) {
    return (
      <ActDialog
        title={text.signatures.linkTitle}
        verb={text.signatures.linkVerb}
        // Kept here alone, and not in what the page remembers of its acts.
        act={async () =>
          setLink(await answerOf(api.POST('/v1/acknowledgements/{id}/link', { params: { path: { id } } })))
        }
        onDone={() => undefined}
        onClose={onClose}
      >
        <p>{text.signatures.linkMeans}</p>
      </ActDialog>
    );
  }
  return (
    <LinkDialog link={link} onClose={onClose}>
      <p>{text.signatures.giveIt}</p>
    </LinkDialog>
  );
}

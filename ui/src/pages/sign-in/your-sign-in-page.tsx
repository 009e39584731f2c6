import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { callerQuery, ownKeysQuery } from '../../api/queries.js';
import { queryClient } from '../../api/query-client.js';
import { registerKey } from '../../api/security-keys.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { UseKey } from '../../parts/use-key.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { KeysOfOthers } from './keys-of-others.js';
import { SecurityKeyRow } from './security-key-row.js';

/** How somebody came in, and the security keys with which they show that it is them. */
export function YourSignInPage(): ReactNode {
  const may = useMay();
  const { data: caller } = useQuery(callerQuery);
  const keys = useQuery(ownKeysQuery);
  const [isRegistering, setRegistering] = useState(false);
  const closeRegistering = (): void => setRegistering(false);
  return (
    <Page title={text.yourSignIn.title} sub={caller && text.yourSignIn.cameBy[caller.cameBy]}>
      <Section
        title={text.yourSignIn.yours}
        count={keys.data?.items.length}
        acts={
          keys.data?.registration === 'possible' && (
            <Button size="xs" onClick={() => setRegistering(true)}>
              {text.yourSignIn.register}
            </Button>
          )
        }
      >
        <p className="narrow">{text.yourSignIn.means}</p>
        <Loaded query={keys}>
          {({ items, registration }) => (
            <>
              {registration !== 'possible' && <Empty>{text.yourSignIn.registration[registration]}</Empty>}
              {registration === 'possible' && items.length === 0 && <Empty>{text.yourSignIn.none}</Empty>}
              <ul className="rows">
                {items.map((key) => (
                  <SecurityKeyRow
                    key={key.id}
                    securityKey={key}
                    means={text.yourSignIn.removeMeans}
                    remove={() =>
                      answerOf(api.DELETE('/v1/caller/security-keys/{id}', { params: { path: { id: key.id } } }))
                    }
                  />
                ))}
              </ul>
            </>
          )}
        </Loaded>
      </Section>
      {keys.data && keys.data.items.length > 0 && (
        <Section title={text.yourSignIn.showNow}>
          <UseKey onShown={() => void queryClient.invalidateQueries({ queryKey: ownKeysQuery.queryKey })} />
        </Section>
      )}
      {may('security-keys:read') && <KeysOfOthers />}
      {isRegistering && (
        <ActDialog
          title={text.yourSignIn.registerTitle}
          verb={text.yourSignIn.registerVerb}
          ask={{ label: text.yourSignIn.name, description: text.yourSignIn.nameExample, required: true }}
          act={(name) => registerKey(name.replaceAll(/\s+/g, ' '))}
          onDone={closeRegistering}
          onClose={closeRegistering}
        >
          <p>{text.yourSignIn.registerMeans}</p>
        </ActDialog>
      )}
    </Page>
  );
}

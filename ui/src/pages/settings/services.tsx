import { useState, type ReactNode } from 'react';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { servicesQuery } from '../../api/settings-queries.js';
import type { Person, ServicePrincipal } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChoosePerson } from '../../parts/choose-person.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { PersonLink } from '../../parts/person-link.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const words = text.settings.tokens;

/** Programs with a person who answers for each: their tokens go on when that person leaves. */
export function Services(): ReactNode {
  const mayChange = useMayEverywhere()('tokens:write');
  const query = useQuery(servicesQuery);
  const [asked, setAsked] = useState<'new' | ServicePrincipal | null>(null);
  return (
    <Section
      title={words.services}
      count={query.data?.items.length}
      acts={
        mayChange && (
          <Button size="xs" onClick={() => setAsked('new')}>
            {words.addService}
          </Button>
        )
      }
    >
      <p className="narrow">{words.servicesMean}</p>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.noServices}</Empty>
          ) : (
            <Table
              rows={items}
              columns={[
                { name: words.service, cell: ({ name }) => name },
                {
                  name: words.answers,
                  cell: ({ ownerPersonId }) =>
                    ownerPersonId === null ? (
                      <Mark shape="▲" tone="bad" word={words.nobodyAnswers} />
                    ) : (
                      <PersonLink id={ownerPersonId} />
                    ),
                },
                { name: text.devices.since, cell: ({ createdAt }) => <Instant at={createdAt} /> },
                ...(mayChange
                  ? [
                      {
                        name: text.settings.acts,
                        cell: (service: ServicePrincipal) => (
                          <Button
                            size="compact-xs"
                            variant="default"
                            onClick={() => setAsked(service)}
                            aria-label={text.devices.actOn(words.handOn, service.name)}
                          >
                            {words.handOn}
                          </Button>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </Loaded>
      {asked !== null && <ServiceDialog service={asked === 'new' ? null : asked} onClose={() => setAsked(null)} />}
    </Section>
  );
}

/** @param service null: a new one */
function ServiceDialog({ service, onClose }: { service: ServicePrincipal | null; onClose: () => void }): ReactNode {
  const [name, setName] = useState('');
  const [person, setPerson] = useState<Person | null>(null);
  const send = (): Promise<ServicePrincipal> => {
    const ownerPersonId = person?.id ?? '';
    if (!service) return answerOf(api.POST('/v1/service-principals', { body: { name: name.trim(), ownerPersonId } }));
    const params = { path: { id: service.id } };
    return answerOf(api.POST('/v1/service-principals/{id}/hand-on', { params, body: { ownerPersonId } }));
  };
  return (
    <ActDialog
      title={service ? text.devices.actOn(words.handOnVerb, service.name) : words.addServiceTitle}
      verb={service ? words.handOnVerb : words.addServiceVerb}
      isIncomplete={person === null || (!service && name.trim() === '')}
      act={send}
      onDone={onClose}
      onClose={onClose}
    >
      {!service && (
        <TextInput
          label={words.service}
          description={words.serviceMeans}
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          required
          maxLength={200}
        />
      )}
      <ChoosePerson label={words.answers} chosen={person} onChoose={setPerson} />
    </ActDialog>
  );
}

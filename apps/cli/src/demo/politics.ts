// Demonstration articles: politics.
import { type DemoSection } from './article'

export const politics: DemoSection = {
  slug: 'politics',
  names: { en: 'Politics', de: 'Politik' },
  articles: [
    {
      key: 'barrier-vote',
      language: 'en',
      headline: 'Ardmere council backs the tidal barrier after a nine-hour debate',
      summary:
        'Forty-one councillors voted for the barrier across the Vess estuary, twenty-two against. Work on the southern pier can begin in spring.',
      paragraphs: [
        'The city council of Ardmere has approved the tidal barrier that has divided the harbour districts for a decade. After nine hours of debate, forty-one councillors voted in favour and twenty-two against, with two abstentions, shortly before midnight on Tuesday.',
        'The decision releases the first third of the construction money and allows work on the southern pier to begin in spring. Two conditions were added in the last hour: the gates must stay open during the eel migration in autumn, and the fishing berths at the Old Quay keep their present rent until the barrier is in service.',
        'Opponents had argued that higher dykes would protect the low-lying streets at half the price. The city engineers replied that dykes would need to be raised again within thirty years, while the barrier could be closed against every surge that their models show for this century.',
        'A petition for a referendum has until the end of the month to collect eight thousand signatures. Its organisers said that they had a little over five thousand when the vote was taken.',
      ],
      tags: ['Tidal barrier', 'Ardmere council', 'Flood protection'],
      byline: 'By City Desk and Harbour Desk',
      contributors: [
        { name: 'Northline', kind: 'agency' },
        { name: 'minutes of the city council', kind: 'document' },
      ],
      hoursAgo: 57,
      interest: 95,
      related: ['barrier-model', 'barrier-cost'],
    },
    {
      key: 'night-train-treaty',
      language: 'en',
      headline: 'Three coastal states sign a treaty for night trains',
      summary:
        'One ticket and one timetable from Ardmere to Lissborg: the treaty obliges the railways to run through the night from next December.',
      paragraphs: [
        'Ministers from the three coastal states signed the night train treaty in Lissborg on Monday. From December next year a train is to leave Ardmere every evening and reach Lissborg before nine in the morning, with one ticket that is valid on all three railways.',
        'The treaty settles the question on which earlier attempts failed: who pays when a train is late. Each state carries the cost of delays that begin on its own tracks, and passengers claim compensation from whichever railway sold the ticket.',
        'Railway unions welcomed the agreement but asked for clarity about the crews, who would change twice in one night. The ministries said that working hours would be settled in an annex before the summer.',
      ],
      tags: ['Night train', 'Railways', 'Coastal states'],
      byline: 'By Politics Desk',
      contributors: [{ name: 'Northline', kind: 'agency' }, { name: 'agencies' }],
      hoursAgo: 31,
      interest: 60,
      related: ['night-train-bookings'],
    },
    {
      key: 'library-hours',
      language: 'en',
      headline: 'Budget committee keeps the district libraries open on Saturdays',
      summary:
        'A plan to close four branches at weekends is off the table; the money comes from the fund for street furniture.',
      paragraphs: [
        'All seven district libraries of Ardmere will stay open on Saturdays. The budget committee rejected a plan to close four branches at weekends, which would have saved the city four hundred thousand crowns a year.',
        'The money will come from the fund for benches and street lamps instead, most of which went unspent last year. Councillors of every group said that they had received more letters about the libraries than about any other line of the budget.',
        'The librarians had counted visitors for a month to make their case. On Saturdays the branch at the Old Quay has more readers under the age of eighteen than on all other days of the week together.',
      ],
      tags: ['Libraries', 'Ardmere council', 'City budget'],
      byline: 'By City Desk',
      contributors: [{ name: 'minutes of the city council', kind: 'document' }],
      hoursAgo: 54,
      interest: 28,
    },
    {
      key: 'referendum-petition',
      language: 'en',
      headline: 'Petition against the barrier reaches eight thousand signatures',
      summary:
        'The election office has thirty days to check the lists. A referendum on the tidal barrier could be held in June.',
      paragraphs: [
        'The campaign for a referendum on the tidal barrier handed in eight thousand three hundred signatures on Friday, three hundred more than it needs. The election office of Ardmere now has thirty days to compare the lists with the register of voters.',
        'If enough signatures are valid, the council must either withdraw its approval or call a vote within ninety days. Members of the majority said that they would rather have the question decided at the polls than in court.',
        'The campaign demands higher dykes along the Vess and a study of flood meadows upstream. The engineers of the harbour authority repeated that neither would hold back a surge of the kind that reached the Old Quay two winters ago.',
      ],
      tags: ['Tidal barrier', 'Referendum', 'Ardmere council'],
      byline: 'By City Desk',
      contributors: [{ name: 'Tideway Radio' }],
      hoursAgo: 3,
      interest: 88,
      related: ['barrier-vote', 'barrier-model'],
    },
    {
      key: 'sperrwerk-beschluss',
      language: 'de',
      headline: 'Stadtrat von Ardmere stimmt für das Sperrwerk an der Vess',
      summary:
        'Nach neunstündiger Debatte ist der Weg für das Sperrwerk frei. Die Gegner sammeln Unterschriften für einen Bürgerentscheid.',
      paragraphs: [
        'Der Stadtrat von Ardmere hat dem Bau eines Sperrwerks an der Mündung der Vess zugestimmt. Einundvierzig Mitglieder votierten kurz vor Mitternacht dafür, zweiundzwanzig dagegen, zwei enthielten sich.',
        'Mit dem Beschluss wird das erste Drittel der Baukosten freigegeben, im Frühjahr sollen die Arbeiten am südlichen Pfeiler beginnen. In letzter Minute kamen zwei Auflagen hinzu: Während der Wanderung der Aale bleiben die Tore offen, und die Liegeplätze der Fischer werden bis zur Inbetriebnahme nicht teurer.',
        'Die Gegner halten höhere Deiche für ausreichend und deutlich billiger. Für einen Bürgerentscheid brauchen sie bis zum Monatsende achttausend Unterschriften, gut fünftausend hatten sie nach eigenen Angaben am Abend der Abstimmung beisammen.',
      ],
      tags: ['Sperrwerk', 'Hochwasserschutz', 'Stadtrat'],
      byline: 'Von Lokalredaktion',
      contributors: [{ name: 'Northline', kind: 'agency' }],
      hoursAgo: 56,
      interest: 52,
      related: ['sperrwerk-modell'],
    },
    {
      key: 'nachtzug-vertrag',
      language: 'de',
      headline: 'Drei Küstenstaaten unterzeichnen Vertrag über den Nachtzug',
      summary:
        'Ein Fahrplan, ein Fahrschein: Von Dezember des nächsten Jahres an soll jeden Abend ein Zug von Ardmere nach Lissborg fahren.',
      paragraphs: [
        'In Lissborg haben die Verkehrsminister der drei Küstenstaaten den Vertrag über den Nachtzug unterzeichnet. Von Dezember des nächsten Jahres an soll jeden Abend ein Zug in Ardmere abfahren und Lissborg am Morgen vor neun Uhr erreichen.',
        'Gestritten wurde bis zuletzt darüber, wer für Verspätungen aufkommt. Nun trägt jeder Staat die Kosten der Verspätungen, die auf seinen Gleisen entstehen; Reisende wenden sich an die Bahn, bei der sie den Fahrschein gekauft haben.',
        'Die Gewerkschaften begrüßten den Vertrag, verlangen aber Klarheit über die Dienstzeiten des Zugpersonals. Ein Anhang dazu soll vor dem Sommer fertig sein.',
      ],
      tags: ['Nachtzug', 'Bahn', 'Küstenstaaten'],
      byline: 'Von Politikredaktion',
      contributors: [{ name: 'Northline', kind: 'agency' }, { name: 'Agenturen' }],
      hoursAgo: 30,
      interest: 35,
      related: ['nachtzug-buchungen'],
    },
  ],
}

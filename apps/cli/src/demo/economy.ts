// Demonstration articles: economy.
import { type DemoSection } from './article'

export const economy: DemoSection = {
  slug: 'economy',
  names: { en: 'Economy', de: 'Wirtschaft' },
  articles: [
    {
      key: 'barrier-cost',
      language: 'en',
      headline: 'What the tidal barrier costs, and who pays for it',
      summary:
        'Six hundred million crowns over eight years: half from the state, a third from the port, the rest from a levy on new buildings.',
      paragraphs: [
        'The tidal barrier at the mouth of the Vess is to cost six hundred million crowns at today’s prices. Half of it comes from the state, a third from the port authority, and the rest from a levy on new buildings in the harbour districts of Ardmere.',
        'The largest single item is not the gates but the ground beneath them. Under the northern pier the engineers found forty metres of soft clay, so the foundations alone account for a quarter of the sum.',
        'Insurers have said that they will lower the premiums for flood damage once the barrier is in service. For a ground-floor shop at the Old Quay the difference would be about nine hundred crowns a year, roughly what the shop would pay for the levy if it were built today.',
        'Auditors of the city warned that no barrier of this size was finished for its first estimate. The treasurer has put aside another sixty million crowns, which the council must release separately.',
      ],
      tags: ['Tidal barrier', 'City budget', 'Port of Ardmere'],
      byline: 'By Economy Desk',
      contributors: [{ name: 'report of the city auditors', kind: 'document' }],
      hoursAgo: 26,
      interest: 64,
      related: ['barrier-vote'],
    },
    {
      key: 'port-hydrogen',
      language: 'en',
      headline: 'Port of Ardmere lets its first berth for hydrogen ships',
      summary:
        'The berth will serve coastal freighters from next autumn. Two shipping lines have ordered vessels that run on hydrogen.',
      paragraphs: [
        'The port of Ardmere has let a berth to a consortium that will supply ships with hydrogen. From next autumn, coastal freighters are to take on fuel at the eastern basin, where grain was loaded until the silos closed.',
        'Two shipping lines have ordered three vessels of eighty metres each for the route to Lissborg. They carry enough fuel for one return trip, so every ship would call at the new berth about twice a week.',
        'The hydrogen is made with electricity from the wind farms off the Vess estuary. When the wind drops, the plant stops; tanks on the quay hold enough for ten days.',
      ],
      tags: ['Port of Ardmere', 'Hydrogen', 'Shipping'],
      byline: 'By Harbour Desk',
      contributors: [{ name: 'Northline', kind: 'agency' }],
      hoursAgo: 75,
      interest: 33,
    },
    {
      key: 'night-train-bookings',
      language: 'en',
      headline: 'Night train bookings open, and the first weekends sell out',
      summary:
        'More than nine thousand berths were sold on the first day. The railways consider a second train on Fridays.',
      paragraphs: [
        'Bookings for the night train from Ardmere to Lissborg opened on Thursday, and by evening the first four weekends were sold out. The three railways counted more than nine thousand berths, most of them in compartments for four.',
        'A berth costs between sixty and one hundred and forty crowns, about as much as a flight with luggage. Travel agents said that many customers had asked for the treaty’s promise in writing: one ticket, and compensation for delays from whoever sold it.',
        'The railways are considering a second train on Fridays but lack the carriages. Twelve sleeping cars that were taken out of service years ago are now being examined at the works in Tarnholt.',
      ],
      tags: ['Night train', 'Railways', 'Travel'],
      byline: 'By Economy Desk',
      contributors: [{ name: 'agencies' }],
      hoursAgo: 14,
      interest: 71,
      related: ['night-train-treaty'],
    },
    {
      key: 'nachtzug-buchungen',
      language: 'de',
      headline: 'Nachtzug nach Lissborg: Die ersten Wochenenden sind ausgebucht',
      summary:
        'Am ersten Tag wurden mehr als neuntausend Liegeplätze verkauft. Die Bahnen prüfen einen zweiten Zug am Freitag.',
      paragraphs: [
        'Seit Donnerstag werden Fahrscheine für den Nachtzug von Ardmere nach Lissborg verkauft, am Abend waren die ersten vier Wochenenden ausgebucht. Die drei Bahnen zählten mehr als neuntausend Liegeplätze, die meisten in Abteilen für vier.',
        'Ein Liegeplatz kostet zwischen sechzig und hundertvierzig Kronen, ungefähr so viel wie ein Flug mit Gepäck. Wer sich verspätet, wird von der Bahn entschädigt, bei der er gekauft hat: So steht es im Vertrag der Küstenstaaten.',
        'Für einen zweiten Zug am Freitag fehlen die Wagen. Im Werk von Tarnholt werden nun zwölf Schlafwagen untersucht, die vor Jahren abgestellt worden sind.',
      ],
      tags: ['Nachtzug', 'Bahn', 'Reisen'],
      byline: 'Von Wirtschaftsredaktion',
      contributors: [{ name: 'Agenturen' }],
      hoursAgo: 13,
      interest: 41,
      related: ['nachtzug-vertrag'],
    },
    {
      key: 'hafen-wasserstoff',
      language: 'de',
      headline: 'Hafen von Ardmere vermietet Liegeplatz für Wasserstoffschiffe',
      summary:
        'Im östlichen Becken sollen Küstenfrachter vom nächsten Herbst an Wasserstoff tanken. Drei Schiffe sind bestellt.',
      paragraphs: [
        'Der Hafen von Ardmere hat einen Liegeplatz an ein Konsortium vermietet, das Schiffe mit Wasserstoff versorgen will. Vom nächsten Herbst an sollen Küstenfrachter im östlichen Becken tanken, wo früher Getreide verladen wurde.',
        'Zwei Reedereien haben drei Schiffe von je achtzig Metern Länge für die Strecke nach Lissborg bestellt. Ihr Vorrat reicht für eine Hin- und Rückfahrt.',
        'Erzeugt wird der Wasserstoff mit Strom aus den Windparks vor der Mündung der Vess. Bei Flaute steht die Anlage still; die Tanks am Kai reichen dann für zehn Tage.',
      ],
      tags: ['Hafen', 'Wasserstoff', 'Schifffahrt'],
      byline: 'Von Wirtschaftsredaktion',
      contributors: [{ name: 'Northline', kind: 'agency' }],
      hoursAgo: 74,
      interest: 19,
    },
    {
      key: 'sperrwerk-kosten',
      language: 'de',
      headline: 'Sechshundert Millionen für das Sperrwerk: Wer die Rechnung bezahlt',
      summary:
        'Die Hälfte kommt vom Staat, ein Drittel vom Hafen, der Rest aus einer Abgabe auf Neubauten in den Hafenvierteln.',
      paragraphs: [
        'Das Sperrwerk an der Mündung der Vess soll nach heutigen Preisen sechshundert Millionen Kronen kosten. Die Hälfte zahlt der Staat, ein Drittel der Hafen, den Rest eine Abgabe auf Neubauten in den Hafenvierteln von Ardmere.',
        'Der größte Posten sind nicht die Tore, sondern der Grund. Unter dem nördlichen Pfeiler liegen vierzig Meter weicher Ton, allein die Fundamente verschlingen ein Viertel der Summe.',
        'Die Versicherer wollen die Prämien für Hochwasserschäden senken, sobald das Sperrwerk in Betrieb ist. Die Rechnungsprüfer der Stadt warnen dagegen, noch kein Bauwerk dieser Größe sei zum ersten Voranschlag fertig geworden.',
      ],
      tags: ['Sperrwerk', 'Haushalt', 'Hafen'],
      byline: 'Von Wirtschaftsredaktion',
      contributors: [{ name: 'Bericht der Rechnungsprüfer', kind: 'document' }],
      hoursAgo: 25,
      interest: 30,
      related: ['sperrwerk-beschluss'],
    },
  ],
}

/** A magazine page with a poster: a headline, a landscape, two columns, a price. An SVG of 1024 × 768 pixels. */
export function poster(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1024" height="768">
    <defs>
      <linearGradient id="sky" x2="0" y2="1"><stop offset="0" stop-color="#f6d8a8"/><stop offset="1" stop-color="#f2a07b"/></linearGradient>
      <linearGradient id="sea" x2="0" y2="1"><stop offset="0" stop-color="#3f8c96"/><stop offset="1" stop-color="#173f5a"/></linearGradient>
    </defs>
    <rect width="1024" height="768" fill="#faf8f3"/>
    <rect x="48" y="40" width="928" height="5" fill="#1f2a36"/>
    <g font-family="DejaVu Serif" fill="#1f2a36">
      <text x="48" y="104" font-size="44" font-weight="bold">Summer on the Coast</text>
      <text x="48" y="140" font-size="21" fill="#5c6670">Music, boats and fish soup in a harbour town</text>
      <rect x="48" y="158" width="928" height="2" fill="#1f2a36"/>
      ${column(560, 208, dancing)}
      <text x="560" y="430" font-size="26" font-weight="bold">Choirs and kettles</text>
      ${column(560, 468, eating)}
      <rect x="560" y="618" width="416" height="2"/>
    </g>
    ${picture}
    <g font-family="DejaVu Sans" font-weight="bold">
      <rect x="560" y="654" width="416" height="74" rx="6" fill="#b8403a"/>
      <text x="584" y="702" font-size="30" fill="#fff">Tickets from 12 euros</text>
    </g>
  </svg>`;
}

const column = (x: number, y: number, lines: string[]) =>
  lines.map((line, i) => `<text x="${x}" y="${y + i * 29}" font-size="19">${line}</text>`).join('');

const dancing = [
  'Every July the fishing boats stay at the',
  'quay for one week, and the harbour',
  'belongs to the musicians. They play on',
  'decks, on stairs and under the old',
  'crane. Children dance until the lamps',
  'are lit, and nobody counts the hours.',
];

const eating = [
  'The first evening is for the choirs.',
  'On Saturday the cooks of the town fill',
  'forty kettles and every visitor gets',
  'a bowl. Bring a jumper: after sunset',
  'the wind comes from the sea.',
];

const sail = (x: number, y: number, size: number, colour: string) =>
  `<g transform="translate(${x} ${y}) scale(${size})"><path d="M0 0v-92l54 84z" fill="${colour}"/><path d="M-6 -4v-74l-34 68z" fill="#fff6e6"/>
   <path d="M-46 4h108l-16 22h-76z" fill="#5b2d22"/><path d="M-3 6v-102" stroke="#3a2018" stroke-width="4"/></g>`;

const picture = `<svg x="48" y="186" width="472" height="542" viewBox="0 0 472 542">
  <rect width="472" height="542" fill="url(#sky)"/>
  <circle cx="330" cy="200" r="62" fill="#fff1cf"/>
  <path d="M0 282q70 -66 150 -34t120 34z" fill="#8d6f86"/><path d="M240 282q90 -50 160 -26t72 26z" fill="#a5798a"/>
  <rect y="282" width="472" height="260" fill="url(#sea)"/>
  ${[310, 338, 372, 412].map((y, i) => `<path d="M${300 - i * 8} ${y}h${60 + i * 16}" stroke="#fff1cf" stroke-width="5" stroke-linecap="round" opacity="0.6"/>`).join('')}
  ${sail(196, 330, 0.8, '#d9584c')}${sail(372, 400, 1.25, '#f2b544')}
  <path d="M0 542v-150l60 -20l58 26l40 60l70 30l44 54z" fill="#2b2f3f"/>
  <path d="M46 380l10 -190h40l10 190z" fill="#fbf4e6"/><path d="M50.7 290L53.4 240H98.6L101.3 290zM47.6 350L49.2 320H102.8L104.4 350z" fill="#c2403a"/>
  <rect x="50" y="160" width="52" height="30" fill="#ffe08a"/><path d="M44 162h64l-32 -30z" fill="#2b2f3f"/><rect x="46" y="188" width="60" height="7" fill="#2b2f3f"/>
  <path d="M102 164l370 -78v60l-370 34z" fill="#fff6d0" opacity="0.35"/>
  <g text-anchor="middle" font-family="DejaVu Sans" font-weight="bold" fill="#fff8ea">
    <text x="236" y="76" font-size="52" fill="#6b2530">HARBOUR</text>
    <text x="236" y="124" font-size="42" fill="#6b2530">FESTIVAL</text>
    <text x="350" y="514" font-size="30">12 to 19 July</text></g>
</svg>`;

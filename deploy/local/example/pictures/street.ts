import { seededRandom } from './seededRandom.ts';

type House = { x: number; width: number; top: number; wall: string; roof: string; roofHeight: number };

const houses: House[] = [
  { x: 40, width: 190, top: 270, wall: '#8d5a56', roof: '#3b2b3c', roofHeight: 95 },
  { x: 230, width: 170, top: 330, wall: '#a98467', roof: '#45303a', roofHeight: 70 },
  { x: 400, width: 330, top: 300, wall: '#5d6c83', roof: '#2c2a3d', roofHeight: 60 },
  { x: 730, width: 160, top: 240, wall: '#b5796a', roof: '#3b2b3c', roofHeight: 110 },
  { x: 890, width: 150, top: 345, wall: '#7c7a68', roof: '#33293a', roofHeight: 60 },
];
/** Where walls meet the pavement. */
const ground = 610;

/** A street at dusk: houses, a bakery with its sign, a lamp, a cat. An SVG of 1024 × 768 pixels. */
export function street(): string {
  const random = seededRandom(7);
  const stars = Array.from({ length: 60 }, () => {
    const [x, y, size] = [random() * 1024, random() ** 2 * 260, 0.6 + random()];
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${size.toFixed(2)}" fill="#fff" opacity="0.8"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1024" height="768">
    <defs>
      <linearGradient id="sky" x2="0" y2="1">
        <stop offset="0" stop-color="#1d2350"/><stop offset="0.45" stop-color="#5b4a86"/>
        <stop offset="0.75" stop-color="#d9808a"/><stop offset="1" stop-color="#f7bd7f"/>
      </linearGradient>
      <radialGradient id="glow"><stop offset="0" stop-color="#ffe9b0" stop-opacity="0.9"/>
        <stop offset="0.3" stop-color="#ffd98a" stop-opacity="0.35"/><stop offset="1" stop-color="#ffd98a" stop-opacity="0"/>
      </radialGradient>
      <linearGradient id="light" x2="0" y2="1"><stop offset="0" stop-color="#ffe7a3"/><stop offset="1" stop-color="#fbb75e"/></linearGradient>
    </defs>
    <rect width="1024" height="640" fill="url(#sky)"/>
    ${stars.join('')}
    <path d="M650 77a44 44 0 1 0 34 62a38 38 0 1 1 -34 -62z" fill="#fdf3d3"/>
    ${houses.map((house) => drawHouse(house, random)).join('')}
    ${shop}
    <rect y="${ground}" width="1024" height="52" fill="#6b6474"/>
    <rect y="${ground + 52}" width="1024" height="8" fill="#8b8492"/>
    <rect y="${ground + 60}" width="1024" height="98" fill="#38344a"/>
    <rect y="724" width="1024" height="5" fill="#d8cfc0" opacity="0.5"/>
    <path d="M420 ${ground}h290l50 52h-390z" fill="#ffd48a" opacity="0.28"/>
    ${lamp}${cat}
  </svg>`;
}

function drawHouse({ x, width, top, wall, roof, roofHeight }: House, random: () => number): string {
  const middle = x + width / 2;
  const columns = Math.floor(width / 75);
  const windows: string[] = [];
  for (let y = top + 32; y < (width > 300 ? 400 : ground - 170); y += 88) {
    for (let column = 0; column < columns; column++) {
      const left = x + (width * (column + 0.5)) / columns - 20;
      windows.push(drawWindow(left, y, random() < 0.6));
    }
  }
  const door =
    width > 300
      ? ''
      : `<path d="M${middle - 24} ${ground}v-82a24 24 0 0 1 48 0v82z" fill="#3a2a33"/>
         <circle cx="${middle + 15}" cy="${ground - 42}" r="3" fill="#e0b567"/>`;
  return `<rect x="${middle + width / 5}" y="${top - roofHeight * 0.85}" width="24" height="${roofHeight * 0.8}" fill="#4e3540"/>
    <rect x="${x}" y="${top}" width="${width}" height="${ground - top}" fill="${wall}"/>
    <path d="M${x - 12} ${top}l${width / 2 + 12} ${-roofHeight}l${width / 2 + 12} ${roofHeight}z" fill="${roof}"/>
    ${windows.join('')}${door}`;
}

const drawWindow = (x: number, y: number, lit: boolean) =>
  `<rect x="${x - 4}" y="${y - 4}" width="48" height="62" rx="2" fill="#f1e6d6" opacity="0.85"/>
   <rect x="${x}" y="${y}" width="40" height="54" fill="${lit ? 'url(#light)' : '#3a4263'}"/>
   <path d="M${x + 20} ${y}v54M${x} ${y + 24}h40" stroke="#f1e6d6" stroke-width="3"/>
   <rect x="${x - 8}" y="${y + 58}" width="56" height="6" fill="#2f2636"/>`;

const awning = Array.from({ length: 10 }, (_, i) => {
  const colour = i % 2 ? '#f6ecdc' : '#b83a3f';
  return `<path d="M${420 + i * 29} 466h29l${(i - 4) * 1.5} 42a14.5 12 0 0 1 -32 0z" fill="${colour}"/>`;
}).join('');

const loaves = [455, 500, 545, 590].map(
  (x) => `<ellipse cx="${x}" cy="566" rx="20" ry="11" fill="#a8642c"/>
    <path d="M${x - 10} 562l6 -5M${x - 1} 562l6 -5M${x + 8} 562l6 -5" stroke="#f0c285" stroke-width="2.5"/>`,
);

const shop = `<g font-family="DejaVu Sans" font-weight="bold" text-anchor="middle">
  <rect x="412" y="410" width="306" height="200" fill="#2f3b4f"/>
  <rect x="424" y="418" width="282" height="46" rx="4" fill="#f6ecdc"/>
  <text x="565" y="455" font-size="40" letter-spacing="1" fill="#7b2429">BAKERY</text>
  <rect x="430" y="480" width="190" height="110" fill="url(#light)"/>
  <rect x="430" y="577" width="190" height="13" fill="#6d4526"/>
  ${loaves.join('')}
  <rect x="636" y="480" width="66" height="130" fill="#7b2429"/>
  <rect x="644" y="490" width="50" height="70" fill="url(#light)"/>
  <rect x="646" y="524" width="46" height="22" rx="2" fill="#fffdf6"/>
  <text x="669" y="540" font-size="14" fill="#23402c">OPEN</text>
  <circle cx="694" cy="582" r="3.5" fill="#e0b567"/>
  <text x="525" y="544" font-size="19" fill="#6a2d1c">Fresh bread</text>
  ${awning}
</g>`;

const lamp = `<circle cx="290" cy="330" r="170" fill="url(#glow)"/>
  <path d="M286 645v-280h8v280z" fill="#1d1a29"/><path d="M278 645h24l-5 -22h-14z" fill="#1d1a29"/>
  <path d="M270 312h40l-8 52h-24z" fill="#ffeeb8"/><path d="M264 312h52l-26 -24z" fill="#1d1a29"/>
  <path d="M270 312l8 52h24l8 -52" fill="none" stroke="#1d1a29" stroke-width="4"/>`;

const cat = `<path d="M786 642c-34 6 -40 -22 -24 -36" fill="none" stroke="#17141f" stroke-width="8" stroke-linecap="round"/>
  <path d="M778 650c-6 -34 12 -52 30 -58l2 -24l11 11h10l11 -11l2 26c4 14 -8 18 -10 24l2 32z" fill="#17141f"/>
  <circle cx="820" cy="589" r="2.4" fill="#f4d35e"/><circle cx="832" cy="589" r="2.4" fill="#f4d35e"/>`;

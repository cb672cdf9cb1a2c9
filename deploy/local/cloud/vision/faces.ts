import { around, pixelPoly } from './geometry.ts';
import type { Looked } from './human.ts';

/**
 * Points of the face mesh for Google's landmarks. "Left" is the viewer's left, as at Google. An eye is the middle
 * of its corners. https://github.com/google-ai-edge/mediapipe/blob/master/mediapipe/modules/face_geometry/data/canonical_face_model_uv_visualization.png
 */
const landmarks: Record<string, number[]> = {
  LEFT_EYE: [33, 133],
  RIGHT_EYE: [362, 263],
  LEFT_OF_LEFT_EYEBROW: [70],
  RIGHT_OF_LEFT_EYEBROW: [107],
  LEFT_OF_RIGHT_EYEBROW: [336],
  RIGHT_OF_RIGHT_EYEBROW: [300],
  MIDPOINT_BETWEEN_EYES: [168],
  NOSE_TIP: [1],
  UPPER_LIP: [0],
  LOWER_LIP: [17],
  MOUTH_LEFT: [61],
  MOUTH_RIGHT: [291],
  MOUTH_CENTER: [13, 14],
  LEFT_EYE_TOP_BOUNDARY: [159],
  LEFT_EYE_RIGHT_CORNER: [133],
  LEFT_EYE_BOTTOM_BOUNDARY: [145],
  LEFT_EYE_LEFT_CORNER: [33],
  RIGHT_EYE_TOP_BOUNDARY: [386],
  RIGHT_EYE_RIGHT_CORNER: [263],
  RIGHT_EYE_BOTTOM_BOUNDARY: [374],
  RIGHT_EYE_LEFT_CORNER: [362],
  CHIN_GNATHION: [152],
};

export type FoundFace = { detectionConfidence: number; boundingPoly: object; [field: string]: unknown };

/**
 * `boundingPoly` is what the detector found, `fdBoundingPoly` the box of the mesh, which is the skin. What no model
 * says (joy, headwear, blur) is absent, and so UNKNOWN.
 *
 * @param picture the size that the answer is in; the models may have seen a smaller one
 */
export function faceAnnotations(
  { face, width, height }: Looked,
  picture: { width: number; height: number },
): FoundFace[] {
  const scale = { x: picture.width / width, y: picture.height / height };
  return face
    .map(({ boxScore, boxRaw, mesh, rotation }) => {
      const [x, y, w, h] = boxRaw.map((part, axis) => part * (axis % 2 ? picture.height : picture.width)) as [
        number,
        number,
        number,
        number,
      ];
      const points = mesh.map(([u, v, z = 0]) => ({ x: u * scale.x, y: v * scale.y, z: z * scale.x }));
      const corners = points.map((point) => ({ x0: point.x, y0: point.y, x1: point.x, y1: point.y }));
      const box = { x0: x, y0: y, x1: x + w, y1: y + h };
      return {
        boundingPoly: pixelPoly(box, picture),
        fdBoundingPoly: pixelPoly(corners.length > 0 ? around(corners) : box, picture),
        landmarks: points.length > 0 ? Object.keys(landmarks).map((type) => landmark(type, points)) : [],
        // Clockwise, to the viewer's right, and upwards are positive. Google does not document its signs.
        rollAngle: degrees(rotation?.angle.roll),
        panAngle: -degrees(rotation?.angle.yaw),
        tiltAngle: -degrees(rotation?.angle.pitch),
        detectionConfidence: boxScore,
      };
    })
    .sort((a, b) => b.detectionConfidence - a.detectionConfidence);
}

type Point = { x: number; y: number; z: number };

function landmark(type: string, points: Point[]): object {
  const parts = (landmarks[type] ?? []).map((index) => points[index] as Point);
  const mean = (axis: keyof Point) => parts.reduce((sum, part) => sum + part[axis], 0) / parts.length;
  return { type, position: { x: mean('x'), y: mean('y'), z: mean('z') } };
}

const degrees = (radians = 0) => (radians * 180) / Math.PI;

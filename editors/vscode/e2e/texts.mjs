// The files that are written in. Chosen so that the model is far from doubt: a suggestion at the border would come
// on one machine and not on another.

/** A method of which the model is sure how it begins, and that can be written in more than one way. */
export const BOX = `class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height

    def perimeter(self):
        `;

/** The same in a language whose own menu has entries to choose from. */
export const MENU = `interface Box {
  width: number;
  height: number;
}

export function area(box: Box): number {
  return box.width * box.height;
}

export function perimeter(box: Box): number {
`;

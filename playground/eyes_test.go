package playground_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// eyes are what becomes of light, red, green and blue, in eyes without one kind of cone:
// Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color
// vision deficiency" (2009), at its full severity.
var eyes = map[string][3][3]float64{
	"most":         {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
}

// placed is where a colour stands in CIE L*a*b* for some eyes.
func placed(rgb [3]float64, eye [3][3]float64) [3]float64 {
	for k, v := range rgb {
		rgb[k] = math.Pow((v+0.055)/1.055, 2.4)
		if v <= 0.04045 {
			rgb[k] = v / 12.92
		}
	}
	apply := func(m [3][3]float64, v [3]float64) (out [3]float64) {
		for k := range out {
			out[k] = max(0, m[k][0]*v[0]+m[k][1]*v[1]+m[k][2]*v[2])
		}
		return out
	}
	// sRGB to XYZ, each part of the white of D65
	xyz := apply([3][3]float64{{0.4339, 0.3763, 0.1899}, {0.2126, 0.7152, 0.0722}, {0.0177, 0.1095, 0.8729}}, apply(eye, rgb))
	for k, v := range xyz {
		xyz[k] = math.Cbrt(v)
		if v <= 0.008856 {
			xyz[k] = 7.787*v + 16.0/116
		}
	}
	return [3]float64{116*xyz[1] - 16, 500 * (xyz[0] - xyz[1]), 200 * (xyz[1] - xyz[2])}
}

// The inks of the two ends, and that of what is wrong, differ to all eyes: by ten times
// and more of what one can just see.
func TestTheInksDifferToAllEyes(t *testing.T) {
	for _, sheet := range []string{"app.css", "dark.css"} {
		c := colours(t, sources(t, sheet)[sheet])
		for name, eye := range eyes {
			for _, pair := range [][2]string{{"a", "b"}, {"a-line", "b-line"}, {"a", "wrong"}, {"b", "wrong"}} {
				x, y := placed(c[pair[0]], eye), placed(c[pair[1]], eye)
				far := math.Sqrt((x[0]-y[0])*(x[0]-y[0]) + (x[1]-y[1])*(x[1]-y[1]) + (x[2]-y[2])*(x[2]-y[2]))
				require.Greater(t, far, 23.0, "%s: %s and %s to the eyes of %s", sheet, pair[0], pair[1], name)
			}
		}
	}
}

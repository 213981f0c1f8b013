# SPDX-License-Identifier: GPL-2.0-only
# Share of guest time with so many LRs used, pending, active; depth of the overflow. The fill is
# one scale for all panels: the more LRs, the darker.
set palette defined (0 "#cfe1f2", 0.25 "#93c4df", 0.5 "#4b97c9", 0.75 "#1764ab", 1 "#08306b")
shade(n) = MOST > 1 ? (n - 1.0) / (MOST - 1) : 0
unset colorbox
set cbrange [0:1]
shade_class(k) = value(sprintf("shade_class_%d", k))
name(k) = value(sprintf("name_class_%d", k))
array deep[7] = [0xFEE6CE, 0xFDBE85, 0xFD8D3C, 0xE6550D, 0xB03A02, 0x7F2704, 0x4A1500]

set multiplot
set xrange [XMIN:XMAX]
set format y "%g %%"
set tics font F13

# Where a panel stands: column 0 or 1, row 0 (top) or 1.
left(c) = px(c ? W/2+66 : 70)
right(c) = px(c ? W-14 : W/2-18)
top(r) = py(r ? H/2-66 : H-122)
bottom(r) = py(r ? 72 : H/2+6)

# The scale, in words and blocks, in the line under the title.
BOX = 20
SCALE = W - 40 - BOX * MOST - (FULL ? 220 : 0)
set label 1 "LRs in that state:" at screen px(SCALE-10),py(H-76) right textcolor rgb INK
do for [n=1:MOST] {
	set object n rectangle from screen px(SCALE+BOX*n-BOX),py(H-84) to screen px(SCALE+BOX*n),py(H-68) \
		fillstyle solid noborder fillcolor palette cb shade(n)
	if (n == 1 || n == MOST || n == 4 || n == 8 || n == 12) {
		set label 10+n sprintf("%d", n) at screen px(SCALE+BOX*n-BOX/2.0),py(H-59) center \
			font F12 textcolor rgb INK
	}
}
if (FULL) {
	set object 100 rectangle from screen px(W-196),py(H-84) to screen px(W-176),py(H-68) \
		fillstyle empty border linecolor rgb VERMILLION linewidth 2.5
	set label 100 "every LR in use" at screen px(W-168),py(H-76) left textcolor rgb INK
}

PANELS = BOTH ? "used pending active both" : "used pending active"
array head[4] = ["in use (any state)", "pending", "active", "pending and active"]
set yrange [0:100]
set ytics 25
do for [p=0:2] {
	c = p % 2
	r = p / 2
	set lmargin at screen left(c)
	set rmargin at screen right(c)
	set tmargin at screen top(r)
	set bmargin at screen bottom(r)
	set label 3 head[p+1] at screen left(c),top(r)+py(16) left font F16 textcolor rgb INK
	YLABEL = c ? "" : "share of guest time"
	set ylabel YLABEL offset 1,0 textcolor rgb INK
	BELOW = r ? XLABEL.(XMIN < 0 ? "; measured: as entered" : "") : ""
	set xlabel BELOW textcolor rgb INK font F14 offset 0,0.3
	HAS = p == 0 ? 1 : p == 1 ? PENDING : ACTIVE
	OUTLINE = p == 0 ? FULL : 0
	eval "plot ".\
		opt(BANDS, "DATA index 'band' using 1:(0):2:3:(0):(100) with boxxyerror fillcolor rgb BAND ".\
			"notitle").\
		opt(ENDLESS, "DATA index 'endless' using 1:(0):2:3:(0):(100) with boxxyerror fillstyle ".\
			"pattern 4 fillcolor rgb GREY notitle").\
		opt(HAS, "DATA index word(PANELS,p+1) using 1:2:3:4:5:6:(shade($7)) with boxxyerror ".\
			"fillcolor palette notitle").\
		"DATA index 'frames' using 1:2:3:4:5:6 with boxxyerror linecolor rgb GREY linewidth 0.7 ".\
			"fillstyle empty border notitle, ".\
		opt(OUTLINE, "DATA index 'full' using 1:2:3:4:5:6 with boxxyerror linecolor rgb VERMILLION ".\
			"linewidth 2.5 fillstyle empty border notitle").\
		opt(ENDLESS, "DATA index 'endless' using 1:(50):4 with labels rotate by 90 boxed font F14 ".\
			"textcolor rgb INK notitle")
	unset label 1001
	unset label 1002
	do for [n=1:MOST] {
		unset object n
		unset label 10+n
	}
	unset object 100
	unset label 100
	unset label 1
}

set lmargin at screen left(1)
unset ylabel
set rmargin at screen right(1)-px(96)
set tmargin at screen top(1)
set bmargin at screen bottom(1)
set label 3 "waiting outside the LRs, share of the run; on top: most at once" at screen left(1),top(1)+py(16) left \
	font F16 textcolor rgb INK
set ytics auto
set yrange [0:DEPTH_TOP]
set key at screen px(W-4),top(1) right top vertical Left reverse samplen 1 font F13 \
	title "waiting" textcolor rgb INK
eval "plot ".\
	opt(BANDS, "DATA index 'band' using 1:(0):2:3:(0):(DEPTH_TOP) with boxxyerror fillcolor ".\
		"rgb BAND notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(0):2:3:(0):(DEPTH_TOP) with boxxyerror ".\
		"fillstyle pattern 4 fillcolor rgb GREY notitle").\
	opt(ENDLESS, "DATA index 'endless' using 1:(DEPTH_TOP/2):4 with labels rotate by 90 boxed ".\
		"font F14 textcolor rgb INK notitle").\
	opt(CLASSES, "for [k=1:CLASSES] DATA index sprintf('depth_%d',k) using 1:2:3:4:5:6 ".\
		"with boxxyerror fillcolor rgb deep[shade_class(k)] title name(k)").\
	"DATA index 'deepest' using 1:2:3 with labels offset 0,0.6 font F13 textcolor rgb INK ".\
		"notitle"
unset multiplot

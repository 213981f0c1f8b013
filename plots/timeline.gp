# SPDX-License-Identifier: GPL-2.0-only
# List registers over time: a row each, coloured by state; above them a lane for each source of
# maintenance interrupts, below them how many interrupts waited outside.
lane(i) = value(sprintf("name_lane_%d", i))

set multiplot
set lmargin at screen px(LEFT)
set rmargin at screen px(W-RIGHT)
set xrange [0:END]
set border 0
unset grid

UPPER = H - 104
LOWER = UPPER - ROW * (ROWS + LANES)
set tmargin at screen py(UPPER)
set bmargin at screen py(LOWER)
set yrange [ROWS-0.5:-LANES-0.5]
unset xtics
set ytics scale 0 ("LR 0" 0)
do for [r=1:ROWS-1] { set ytics add (sprintf("LR %d", r) r) }
do for [l=1:LANES] { set ytics add (lane(l) -l) }
do for [r=0:ROWS-1] {
	set object r+1 rectangle from graph 0,first r-0.4 to graph 1,first r+0.4 behind \
		fillcolor rgb BAND fillstyle solid noborder
}
set key at screen px(LEFT),py(H-78) left center horizontal Left reverse maxrows 1 width 1
eval "plot ".\
	opt(MARKS > 0 && MARKS <= 80, "DATA index 'rules' using 1:(-LANES-0.5):(0):(LANES+ROWS) with vectors nohead ".\
		"linecolor rgb VERMILLION linewidth 0.6 dashtype 3 notitle").\
	opt(HAS_pending, "DATA index 'pending' using 1:2:3:4:5:6 with boxxyerror fillcolor rgb ORANGE ".\
		"title 'pending'").\
	opt(HAS_active, "DATA index 'active' using 1:2:3:4:5:6 with boxxyerror fillcolor rgb BLUE title ".\
		"'active'").\
	opt(HAS_both, "DATA index 'both' using 1:2:3:4:5:6 with boxxyerror fillcolor rgb PURPLE title ".\
		"'pending and active'").\
	opt(CUTS, "DATA index 'cuts' using 1:($2-0.4):(0):(0.8) with vectors nohead linewidth 1.6 ".\
		"linecolor rgb PAPER notitle").\
	opt(LANES, "for [i=1:LANES] DATA index sprintf('lane_%d',i) using 1:($2-0.34):(0):(0.68) with ".\
		"vectors nohead linewidth 3 linecolor rgb VERMILLION notitle").\
	opt(LABELS_DARK, "DATA index 'labels_dark' using 1:2:3 with labels font F13 textcolor rgb ".\
		"0x000000 notitle").\
	opt(LABELS_LIGHT, "DATA index 'labels_light' using 1:2:3 with labels font F13 textcolor rgb ".\
		"0xFFFFFF notitle").\
	"-LANES-0.5 with lines linecolor rgb PAPER notitle"

unset label 1001
unset label 1002
do for [r=0:ROWS-1] { unset object r+1 }
unset key
set border 3 linecolor rgb INK
set grid ytics linecolor rgb GRID
set tmargin at screen py(LOWER-18)
set bmargin at screen py(72)
set yrange [0:DEEPEST]
set xtics auto nomirror out scale 0.6 textcolor rgb INK
set ytics scale 0.6
eval "set ytics ".depth_tics
set format x "%g"
set xlabel XLABEL textcolor rgb INK offset 0,0.2
set ylabel "waiting\noutside" offset -1.6,0 textcolor rgb INK
eval "plot ".\
	"DATA index 'overflow' using 1:2 with fillsteps fillcolor rgb SKY notitle, ".\
	"DATA index 'overflow' using 1:2 with steps linecolor rgb BLUE linewidth 1.5 ".\
		"notitle"
unset multiplot

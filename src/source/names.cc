#include "source/names.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace pinpipe::source {
namespace {

// Names in byte order with their frequency per million, as Faker's en_US provider draws them.
// clang-format off
constexpr std::string_view first_names_text =
    "Aaron:6742,Abigail:2044,Adam:7125,Adrian:1522,Adriana:489,Adrienne:623,Aimee:425,"
    "Alan:2345,Albert:1317,Alec:443,Alejandra:416,Alejandro:862,Alex:2112,Alexa:663,"
    "Alexander:5216,Alexandra:2836,Alexandria:965,Alexis:3447,Alfred:319,Alice:590,"
    "Alicia:3767,Alisha:476,Alison:1506,Allen:1680,Allison:3741,Alvin:248,Alyssa:3243,"
    "Amanda:15361,Amber:6929,Amy:12860,Ana:854,Andre:1401,Andrea:6747,Andres:336,"
    "Andrew:13475,Angel:1161,Angela:11954,Angelica:1103,Angie:302,Anita:1384,Ann:2627,"
    "Anna:4692,Anne:2090,Annette:1487,Anthony:13783,Antonio:2393,April:4529,Ariana:413,"
    "Ariel:616,Arthur:1343,Ashlee:697,Ashley:14773,Audrey:1139,Austin:3786,Autumn:919,"
    "Bailey:692,Barbara:4839,Barry:1103,Becky:961,Belinda:502,Benjamin:6535,Bernard:299,"
    "Beth:2246,Bethany:1249,Betty:840,Beverly:990,Bianca:625,Bill:430,Billy:1750,Blake:1218,"
    "Bob:236,Bobby:1667,Bonnie:1352,Brad:985,Bradley:3845,Brady:278,Brandi:2077,Brandon:9518,"
    "Brandy:2177,Breanna:876,Brenda:5737,Brendan:737,Brent:1889,Brett:2248,Brian:15977,"
    "Briana:937,Brianna:2544,Bridget:787,Brittany:7258,Brittney:1566,Brooke:2410,Bruce:1883,"
    "Bryan:4565,Bryce:457,Caitlin:1808,Caitlyn:481,Caleb:1486,Calvin:1169,Cameron:1808,"
    "Candace:551,Candice:653,Carl:2012,Carla:1952,Carlos:2666,Carly:499,Carmen:892,"
    "Carol:2973,Caroline:1198,Carolyn:2647,Carrie:2935,Casey:1178,Cassandra:2501,Cassidy:452,"
    "Cassie:345,Catherine:4461,Cathy:1413,Cesar:305,Chad:3859,Charlene:539,Charles:10890,"
    "Charlotte:530,Chase:972,Chelsea:2800,Chelsey:369,Cheryl:4166,Cheyenne:697,Chloe:566,"
    "Chris:1390,Christian:3098,Christie:398,Christina:8736,Christine:7489,Christopher:27836,"
    "Christy:1419,Cindy:3360,Claire:554,Clarence:299,Claudia:961,Clayton:662,Clifford:531,"
    "Clinton:579,Cody:3535,Cole:579,Colin:785,Colleen:1836,Collin:406,Colton:521,Connie:1822,"
    "Connor:981,Corey:2477,Cory:1813,Courtney:4849,Craig:3382,Cristian:334,Cristina:329,"
    "Crystal:6365,Curtis:2140,Cynthia:7655,Daisy:437,Dakota:798,Dale:1171,Dalton:615,"
    "Damon:343,Dan:388,Dana:3396,Daniel:18882,Danielle:6672,Danny:1874,Darin:235,Darius:336,"
    "Darlene:953,Darrell:1219,Darren:1254,Darryl:670,Daryl:261,Dave:270,David:31074,"
    "Dawn:5015,Dean:965,Deanna:2049,Debbie:1843,Deborah:5386,Debra:4124,Denise:4592,"
    "Dennis:3319,Derek:3095,Derrick:1956,Desiree:991,Destiny:1056,Devin:1312,Devon:486,"
    "Diamond:332,Diana:3699,Diane:3059,Dillon:558,Dominic:438,Dominique:848,Don:378,"
    "Donald:5690,Donna:5708,Doris:398,Dorothy:722,Douglas:4514,Drew:597,Duane:619,"
    "Dustin:3089,Dwayne:711,Dylan:2329,Earl:348,Ebony:400,Eddie:794,Edgar:380,Eduardo:465,"
    "Edward:5702,Edwin:1118,Eileen:544,Elaine:601,Elijah:592,Elizabeth:14954,Ellen:747,"
    "Emily:9101,Emma:1272,Eric:12025,Erica:4344,Erik:1997,Erika:2106,Erin:5451,Ernest:747,"
    "Ethan:1144,Eugene:784,Evan:1571,Evelyn:825,Faith:427,Felicia:1717,Fernando:558,"
    "Frances:547,Francis:331,Francisco:1084,Frank:3276,Franklin:238,Fred:397,Frederick:1104,"
    "Gabriel:1907,Gabriela:527,Gabriella:441,Gabrielle:1090,Gail:719,Garrett:1125,Gary:5023,"
    "Gavin:295,Gene:234,Geoffrey:426,George:4424,Gerald:1658,Gilbert:247,Gina:2841,Glen:374,"
    "Glenda:385,Glenn:1111,Gloria:1156,Gordon:271,Grace:872,Grant:683,Greg:623,Gregg:236,"
    "Gregory:7676,Guy:263,Gwendolyn:408,Hailey:663,Haley:1558,Hannah:4190,Harold:929,"
    "Harry:587,Hayden:279,Hayley:478,Heather:10945,Hector:799,Heidi:2240,Helen:637,"
    "Henry:1856,Herbert:234,Holly:3487,Howard:713,Hunter:1035,Ian:1863,Isaac:1002,Isabel:352,"
    "Isabella:410,Isaiah:625,Ivan:350,Jack:1840,Jackie:567,Jackson:403,Jaclyn:477,Jacob:7845,"
    "Jacqueline:4811,Jade:446,Jaime:853,Jake:566,James:29602,Jamie:5068,Jane:949,Janet:2490,"
    "Janice:1593,Jared:2539,Jasmin:333,Jasmine:3025,Jason:15205,Javier:625,Jay:1411,Jean:816,"
    "Jeanette:767,Jeanne:515,Jeff:1271,Jeffery:2628,Jeffrey:12257,Jenna:1804,Jennifer:29219,"
    "Jenny:933,Jeremiah:1210,Jeremy:6336,Jermaine:450,Jerome:634,Jerry:3150,Jesse:3885,"
    "Jessica:20048,Jesus:1629,Jill:3253,Jillian:989,Jim:568,Jimmy:1607,Jo:442,Joan:803,"
    "Joann:544,Joanna:1176,Joanne:730,Jocelyn:457,Jodi:1252,Jody:742,Joe:1622,Joel:2538,"
    "John:28683,Johnathan:840,Johnny:2117,Jon:1561,Jonathan:9964,Jonathon:701,Jordan:1653,"
    "Jorge:1181,Jose:5368,Joseph:18605,Joshua:14808,Joy:917,Joyce:1009,Juan:3234,Judith:871,"
    "Judy:1102,Julia:3302,Julian:694,Julie:8212,Justin:10198,Kaitlin:674,Kaitlyn:1479,"
    "Kara:1549,Karen:9644,Kari:794,Karina:495,Karl:362,Karla:388,Katelyn:1476,Katherine:6581,"
    "Kathleen:5035,Kathryn:4178,Kathy:2710,Katie:3056,Katrina:1565,Kayla:4621,Kaylee:552,"
    "Keith:4623,Kelli:932,Kellie:299,Kelly:9343,Kelsey:2470,Kendra:1401,Kenneth:8318,"
    "Kent:329,Kerri:316,Kerry:353,Kevin:14324,Kiara:390,Kim:2519,Kimberly:15594,Kirk:380,"
    "Kirsten:369,Krista:1267,Kristen:4346,Kristi:1023,Kristie:380,Kristin:3614,Kristina:2316,"
    "Kristine:978,Kristopher:581,Kristy:1098,Krystal:1238,Kurt:716,Kyle:6350,Kylie:497,"
    "Lacey:455,Lance:1048,Larry:3659,Latasha:329,Latoya:646,Laura:10815,Lauren:7015,"
    "Laurie:2201,Lawrence:1670,Leah:1998,Lee:1224,Leon:236,Leonard:757,Leroy:260,Leslie:3606,"
    "Levi:347,Linda:6438,Lindsay:2185,Lindsey:2646,Lisa:18727,Logan:1326,Lonnie:259,"
    "Loretta:483,Lori:6040,Lorraine:487,Louis:1212,Lucas:1098,Luis:2428,Luke:1221,Lydia:370,"
    "Lynn:1522,Mackenzie:761,Madeline:809,Madison:2011,Makayla:439,Malik:307,Mallory:689,"
    "Mandy:356,Manuel:1331,Marc:1432,Marcia:403,Marco:291,Marcus:2604,Margaret:3840,"
    "Maria:6593,Mariah:976,Marie:1520,Marilyn:591,Mario:1229,Marisa:340,Marissa:1583,"
    "Mark:14382,Martha:1290,Martin:2085,Marvin:733,Mary:14288,Mason:562,Mathew:606,"
    "Matthew:20425,Maureen:754,Maurice:777,Max:311,Maxwell:357,Mckenzie:335,Meagan:730,"
    "Megan:7687,Meghan:1482,Melanie:3400,Melinda:2078,Melissa:14891,Melody:404,Melvin:619,"
    "Mercedes:335,Meredith:767,Mia:320,Michael:45602,Michaela:507,Micheal:1274,Michele:3520,"
    "Michelle:15274,Miguel:1416,Mikayla:410,Mike:1222,Mindy:307,Miranda:1421,Misty:1565,"
    "Mitchell:1748,Molly:1711,Monica:4324,Monique:1272,Morgan:2527,Nancy:5023,Natalie:3658,"
    "Natasha:1740,Nathan:5039,Nathaniel:1888,Neil:240,Nicholas:10021,Nichole:1001,"
    "Nicolas:363,Nicole:11157,Nina:298,Noah:961,Norma:471,Norman:389,Olivia:1968,Omar:639,"
    "Oscar:947,Paige:1106,Pam:374,Pamela:5816,Parker:278,Patricia:8349,Patrick:7153,"
    "Patty:383,Paul:9273,Paula:2478,Pedro:276,Peggy:811,Penny:837,Perry:259,Peter:4340,"
    "Philip:2263,Phillip:2803,Phyllis:562,Preston:292,Priscilla:350,Rachael:1098,Rachel:8761,"
    "Ralph:837,Randall:1615,Randy:3022,Raven:405,Ray:379,Raymond:3494,Rebecca:10563,"
    "Rebekah:859,Regina:1942,Reginald:951,Renee:2579,Rhonda:2879,Ricardo:1197,Richard:14132,"
    "Rick:440,Rickey:238,Ricky:1857,Riley:322,Rita:719,Robert:26938,Roberta:462,Roberto:906,"
    "Robin:4092,Robyn:321,Rodney:2181,Roger:2038,Ronald:5768,Ronnie:906,Rose:697,Ross:269,"
    "Roy:1311,Ruben:775,Russell:2096,Ruth:1042,Ryan:11282,Sabrina:1921,Sally:533,"
    "Samantha:8186,Samuel:4980,Sandra:6473,Sandy:497,Sara:5620,Sarah:14434,Savannah:978,"
    "Scott:10581,Sean:5593,Selena:329,Sergio:569,Seth:1537,Shane:2530,Shannon:5953,Shari:449,"
    "Sharon:4796,Shaun:749,Shawn:4475,Shawna:354,Sheena:356,Sheila:2201,Shelby:1576,"
    "Shelia:404,Shelley:922,Shelly:1339,Sheri:913,Sherri:1285,Sherry:2445,Sheryl:570,"
    "Shirley:833,Sierra:955,Sonia:333,Sonya:914,Sophia:536,Spencer:912,Stacey:2837,"
    "Stacie:390,Stacy:3117,Stanley:739,Stefanie:346,Stephanie:13596,Stephen:7675,Steve:1408,"
    "Steven:13293,Stuart:239,Sue:473,Summer:412,Susan:8897,Suzanne:1944,Sydney:1220,"
    "Sylvia:626,Tabitha:428,Tamara:2129,Tami:404,Tammie:423,Tammy:6494,Tanner:639,Tanya:2039,"
    "Tara:3168,Tasha:356,Taylor:3997,Teresa:5060,Terrance:203,Terrence:204,Terri:1824,"
    "Terry:605,Theodore:597,Theresa:3493,Thomas:14336,Tiffany:6594,Tim:711,Timothy:12633,"
    "Tina:5186,Todd:4146,Tom:499,Tommy:779,Toni:892,Tony:2512,Tonya:2404,Tracey:1511,"
    "Traci:862,Tracie:302,Tracy:4986,Travis:4022,Trevor:1693,Tricia:449,Tristan:409,"
    "Troy:2695,Tyler:5962,Tyrone:587,Valerie:3218,Vanessa:3779,Vernon:246,Veronica:3018,"
    "Vicki:887,Vickie:695,Victor:2341,Victoria:5238,Vincent:2495,Virginia:1496,Walter:1526,"
    "Wanda:1336,Warren:317,Wayne:1610,Wendy:4058,Wesley:1734,Whitney:1691,William:20026,"
    "Willie:1379,Wyatt:307,Xavier:415,Yesenia:332,Yolanda:1214,Yvette:483,Yvonne:1005,"
    "Zachary:5919,Zoe:367";

constexpr std::string_view last_names_text =
    "Abbott:472,Acevedo:349,Acosta:699,Adams:3774,Adkins:654,Aguilar:1155,Aguirre:538,"
    "Alexander:1768,Ali:330,Allen:4234,Allison:471,Alvarado:856,Alvarez:1543,Andersen:306,"
    "Anderson:6966,Andrade:427,Andrews:1182,Anthony:476,Archer:305,Arellano:320,Arias:366,"
    "Armstrong:1188,Arnold:1246,Arroyo:344,Ashley:338,Atkins:455,Atkinson:470,Austin:1034,"
    "Avery:342,Avila:638,Ayala:608,Ayers:355,Bailey:2430,Baird:313,Baker:3777,Baldwin:723,"
    "Ball:709,Ballard:545,Banks:907,Barajas:294,Barber:699,Barker:779,Barnes:1923,"
    "Barnett:843,Barr:388,Barrera:399,Barrett:876,Barron:422,Barry:412,Bartlett:388,"
    "Barton:609,Bass:496,Bates:857,Bauer:566,Bautista:346,Baxter:437,Bean:339,Beard:431,"
    "Beasley:422,Beck:851,Becker:805,Bell:2419,Beltran:317,Bender:351,Benitez:306,"
    "Benjamin:333,Bennett:2184,Benson:770,Bentley:354,Benton:338,Berg:443,Berger:398,"
    "Bernard:334,Berry:1182,Best:337,Bird:310,Bishop:1042,Black:1372,Blackburn:348,"
    "Blackwell:425,Blair:687,Blake:633,Blanchard:336,Blankenship:390,Blevins:337,Bolton:292,"
    "Bond:466,Bonilla:318,Booker:321,Boone:472,Booth:444,Bowen:704,Bowers:589,Bowman:934,"
    "Boyd:1366,Boyer:453,Boyle:358,Bradford:473,Bradley:1200,Bradshaw:373,Brady:650,"
    "Branch:302,Brandt:325,Braun:299,Bray:316,Brennan:441,Brewer:918,Bridges:478,Briggs:524,"
    "Bright:293,Brock:545,Brooks:2200,Brown:12611,Browning:390,Bruce:475,Bryan:505,"
    "Bryant:1679,Buchanan:583,Buck:388,Buckley:372,Bullock:393,Burch:325,Burgess:654,"
    "Burke:1089,Burnett:529,Burns:1482,Burton:979,Bush:745,Butler:1927,Byrd:811,Cabrera:522,"
    "Cain:529,Calderon:500,Caldwell:835,Calhoun:379,Callahan:456,Camacho:448,Cameron:479,"
    "Campbell:3399,Campos:639,Cannon:621,Cantrell:317,Cantu:362,Cardenas:517,Carey:502,"
    "Carlson:1098,Carney:295,Carpenter:1161,Carr:1041,Carrillo:613,Carroll:1197,Carson:510,"
    "Carter:3313,Case:354,Casey:592,Castaneda:467,Castillo:1512,Castro:1218,Cervantes:527,"
    "Chambers:825,Chan:600,Chandler:695,Chaney:296,Chang:637,Chapman:1139,Charles:471,"
    "Chase:464,Chavez:1698,Chen:964,Cherry:316,Choi:333,Christensen:650,Christian:468,"
    "Chung:333,Church:325,Cisneros:339,Clark:5011,Clarke:572,Clay:423,Clayton:501,"
    "Clements:340,Cline:449,Cobb:582,Cochran:532,Coffey:324,Cohen:797,Cole:1716,Coleman:1906,"
    "Collier:497,Collins:2904,Colon:507,Combs:486,Compton:318,Conley:495,Conner:570,"
    "Conrad:366,Contreras:847,Conway:397,Cook:2694,Cooke:291,Cooley:295,Cooper:2468,"
    "Copeland:491,Cordova:320,Cortez:708,Costa:322,Cowan:295,Cox:2319,Craig:819,Crane:339,"
    "Crawford:1445,Crosby:355,Cross:687,Cruz:2111,Cuevas:293,Cummings:701,Cunningham:1205,"
    "Curry:652,Curtis:904,Dalton:458,Daniel:687,Daniels:1268,Daugherty:317,Davenport:495,"
    "David:353,Davidson:932,Davies:294,Davila:316,Davis:9798,Dawson:733,Day:929,Dean:998,"
    "Decker:498,Delacruz:449,Deleon:599,Delgado:902,Dennis:683,Diaz:2301,Dickerson:466,"
    "Dickson:317,Dillon:446,Dixon:1389,Dodson:341,Dominguez:765,Donaldson:323,Donovan:359,"
    "Dorsey:376,Dougherty:346,Douglas:881,Downs:306,Doyle:672,Drake:540,Duarte:291,"
    "Dudley:318,Duffy:347,Duke:308,Duncan:1192,Dunlap:352,Dunn:1251,Duran:622,Durham:387,"
    "Dyer:426,Eaton:424,Edwards:2897,Elliott:1210,Ellis:1662,Ellison:379,English:411,"
    "Erickson:740,Escobar:392,Esparza:299,Espinoza:725,Estes:327,Estrada:848,Evans:3127,"
    "Everett:354,Ewing:301,Farley:339,Farmer:624,Farrell:467,Faulkner:323,Ferguson:1300,"
    "Fernandez:1273,Ferrell:294,Fields:943,Figueroa:663,Finley:337,Fischer:640,Fisher:1921,"
    "Fitzgerald:672,Fitzpatrick:361,Fleming:804,Fletcher:739,Flores:2856,Flowers:496,"
    "Floyd:586,Flynn:564,Foley:465,Forbes:294,Ford:1630,Foster:2020,Fowler:938,Fox:1346,"
    "Francis:655,Franco:486,Frank:602,Franklin:1049,Frazier:807,Frederick:365,Freeman:1487,"
    "French:577,Frey:299,Friedman:337,Fritz:302,Frost:371,Fry:343,Frye:335,Fuentes:516,"
    "Fuller:975,Gaines:387,Gallagher:622,Gallegos:500,Galloway:309,Galvan:366,Gamble:296,"
    "Garcia:7842,Gardner:1267,Garner:658,Garrett:985,Garrison:461,Garza:1134,Gates:464,"
    "Gay:299,Gentry:387,George:1094,Gibbs:571,Gibson:1685,Gilbert:1027,Giles:356,Gill:628,"
    "Gillespie:378,Gilmore:430,Glass:372,Glenn:450,Glover:586,Golden:437,Gomez:2408,"
    "Gonzales:1772,Gonzalez:5462,Good:315,Goodman:653,Goodwin:643,Gordon:1416,Gould:344,"
    "Graham:1773,Grant:1225,Graves:751,Gray:2163,Green:3778,Greene:1093,Greer:499,"
    "Gregory:811,Griffin:1742,Griffith:707,Grimes:450,Gross:679,Guerra:499,Guerrero:860,"
    "Gutierrez:1945,Guzman:1082,Haas:311,Hahn:350,Hale:758,Haley:333,Hall:4327,Hamilton:1776,"
    "Hammond:613,Hampton:607,Hancock:451,Haney:298,Hanna:325,Hansen:1220,Hanson:997,"
    "Hardin:381,Harding:350,Hardy:700,Harmon:662,Harper:1095,Harrell:443,Harrington:595,"
    "Harris:5423,Harrison:1604,Hart:1210,Hartman:583,Harvey:1025,Hatfield:306,Hawkins:1225,"
    "Hayden:329,Hayes:1713,Haynes:750,Hays:303,Heath:460,Hebert:368,Henderson:1920,"
    "Hendricks:383,Hendrix:311,Henry:1475,Hensley:456,Henson:426,Herman:385,Hernandez:6454,"
    "Herrera:1286,Herring:341,Hess:528,Hester:317,Hickman:368,Hicks:1404,Higgins:714,"
    "Hill:3762,Hines:623,Hinton:303,Ho:369,Hobbs:431,Hodge:462,Hodges:629,Hoffman:1212,"
    "Hogan:563,Holden:311,Holder:297,Holland:913,Holloway:507,Holmes:1372,Holt:774,Hood:491,"
    "Hooper:311,Hoover:512,Hopkins:864,Horn:469,Horne:332,Horton:763,House:370,Houston:494,"
    "Howard:2328,Howe:371,Howell:1002,Huang:409,Hubbard:622,Huber:336,Hudson:1195,Huerta:305,"
    "Huff:492,Huffman:454,Hughes:2096,Hull:381,Humphrey:434,Hunt:1389,Hunter:1411,Hurley:356,"
    "Hurst:407,Hutchinson:437,Huynh:366,Ibarra:428,Ingram:609,Irwin:314,Jackson:6087,"
    "Jacobs:1056,Jacobson:410,James:2131,Jarvis:311,Jefferson:469,Jenkins:1953,Jennings:795,"
    "Jensen:1026,Jimenez:1439,Johns:432,Johnson:16969,Johnston:1178,Jones:12452,Jordan:1802,"
    "Joseph:731,Joyce:309,Juarez:629,Kaiser:298,Kane:443,Kaufman:318,Keith:427,Keller:862,"
    "Kelley:1257,Kelly:2379,Kemp:408,Kennedy:1568,Kent:389,Kerr:391,Key:291,Khan:427,"
    "Kidd:291,Kim:1773,King:4011,Kirby:479,Kirk:476,Klein:728,Kline:410,Knapp:377,"
    "Knight:1205,Knox:392,Koch:432,Kramer:576,Krause:314,Krueger:335,Lam:406,Lamb:535,"
    "Lambert:828,Landry:347,Lane:1176,Lang:547,Lara:546,Larsen:484,Larson:1106,Lawrence:1136,"
    "Lawson:1052,Le:708,Leach:399,Leblanc:374,Lee:5536,Leon:567,Leonard:815,Lester:401,"
    "Levine:315,Levy:324,Lewis:4659,Li:528,Lin:451,Lindsey:559,Little:939,Liu:436,"
    "Livingston:374,Lloyd:559,Logan:590,Long:2042,Lopez:5679,Love:716,Lowe:815,Lowery:381,"
    "Lozano:389,Lucas:918,Lucero:310,Luna:696,Lutz:292,Lynch:1046,Lynn:339,Lyons:752,"
    "Macdonald:418,Macias:427,Mack:614,Madden:315,Maddox:320,Mahoney:360,Maldonado:804,"
    "Malone:633,Mann:740,Manning:659,Marks:441,Marquez:731,Marsh:557,Marshall:1619,"
    "Martin:6147,Martinez:7082,Mason:1421,Massey:488,Mata:319,Mathews:462,Mathis:473,"
    "Matthews:1141,Maxwell:601,May:929,Mayer:357,Maynard:326,Mayo:303,Mays:356,Mcbride:556,"
    "Mccall:377,Mccann:317,Mccarthy:740,Mccarty:326,Mcclain:416,Mcclure:425,Mcconnell:358,"
    "Mccormick:573,Mccoy:973,Mccullough:403,Mcdaniel:789,Mcdonald:1609,Mcdowell:434,"
    "Mcfarland:368,Mcgee:657,Mcgrath:311,Mcguire:568,Mcintosh:370,Mcintyre:387,Mckay:338,"
    "Mckee:398,Mckenzie:503,Mckinney:737,Mcknight:296,Mclaughlin:668,Mclean:373,Mcmahon:352,"
    "Mcmillan:355,Mcneil:304,Mcpherson:318,Meadows:392,Medina:1273,Mejia:608,Melendez:385,"
    "Melton:444,Mendez:1030,Mendoza:1540,Mercado:424,Mercer:309,Merritt:408,Meyer:1368,"
    "Meyers:518,Meza:344,Michael:360,Middleton:372,Miles:749,Miller:10305,Mills:1351,"
    "Miranda:618,Mitchell:3357,Molina:642,Monroe:489,Montes:322,Montgomery:1025,Montoya:522,"
    "Moody:570,Moon:384,Mooney:301,Moore:6384,Mora:378,Morales:1989,Moran:718,Moreno:1335,"
    "Morgan:2526,Morris:2849,Morrison:1078,Morrow:509,Morse:376,Morton:537,Moses:336,"
    "Mosley:408,Moss:674,Moyer:333,Mueller:588,Mullen:333,Mullins:642,Munoz:1076,Murillo:292,"
    "Murphy:2746,Murray:1630,Myers:2054,Nash:466,Navarro:676,Neal:766,Nelson:3767,Newman:918,"
    "Newton:661,Nguyen:2834,Nichols:1297,Nicholson:512,Nielsen:375,Nixon:329,Noble:367,"
    "Nolan:406,Norman:596,Norris:779,Norton:565,Novak:322,Nunez:824,Obrien:1054,Ochoa:523,"
    "Oconnell:325,Oconnor:683,Odom:308,Odonnell:391,Oliver:1020,Olsen:524,Olson:1494,"
    "Oneal:422,Oneill:445,Orozco:414,Orr:399,Ortega:851,Ortiz:1962,Osborn:293,Osborne:601,"
    "Owen:552,Owens:1611,Pace:356,Pacheco:535,Padilla:747,Page:735,Palmer:1374,Park:748,"
    "Parker:2963,Parks:789,Parrish:446,Parsons:605,Patel:1326,Patrick:532,Patterson:1814,"
    "Patton:592,Paul:660,Payne:1261,Pearson:902,Peck:360,Pena:899,Pennington:369,Perez:4464,"
    "Perkins:1160,Perry:1943,Peters:1227,Petersen:504,Peterson:2513,Petty:313,Pham:548,"
    "Phelps:467,Phillips:3215,Pierce:1247,Pineda:356,Pittman:481,Pitts:443,Pollard:311,"
    "Ponce:323,Poole:500,Pope:564,Porter:1433,Potter:650,Potts:344,Powell:1979,Powers:826,"
    "Pratt:546,Preston:419,Price:2090,Prince:408,Proctor:317,Pruitt:388,Pugh:354,Quinn:681,"
    "Ramirez:3554,Ramos:1764,Ramsey:700,Randall:480,Randolph:363,Rangel:383,Rasmussen:324,"
    "Ray:1177,Raymond:349,Reed:2444,Reese:656,Reeves:729,Reid:950,Reilly:368,Reyes:2125,"
    "Reynolds:1787,Rhodes:812,Rice:1338,Rich:434,Richard:476,Richards:1148,Richardson:2280,"
    "Richmond:326,Riddle:298,Riggs:309,Riley:1169,Rios:882,Ritter:300,Rivas:499,Rivera:2736,"
    "Rivers:329,Roach:406,Robbins:714,Roberson:486,Roberts:3346,Robertson:1373,Robinson:4596,"
    "Robles:563,Rocha:385,Rodgers:667,Rodriguez:7349,Rogers:2690,Rojas:668,Rollins:309,"
    "Roman:539,Romero:1405,Rosales:469,Rosario:334,Rose:1342,Ross:2010,Roth:521,Rowe:605,"
    "Rowland:315,Roy:454,Rubio:334,Ruiz:1603,Rush:342,Russell:1968,Russo:440,Ryan:1273,"
    "Salas:441,Salazar:1037,Salinas:563,Sampson:340,Sanchez:4032,Sanders:2018,Sandoval:880,"
    "Sanford:325,Santana:401,Santiago:831,Santos:905,Saunders:614,Savage:442,Sawyer:438,"
    "Schaefer:372,Schmidt:1330,Schmitt:323,Schneider:919,Schroeder:607,Schultz:959,"
    "Schwartz:774,Scott:3838,Sellers:380,Serrano:503,Sexton:384,Shaffer:541,Shah:346,"
    "Shannon:410,Sharp:702,Shaw:1418,Shea:293,Shelton:807,Shepard:354,Shepherd:529,"
    "Sheppard:325,Sherman:638,Shields:453,Short:511,Silva:1153,Simmons:1843,Simon:684,"
    "Simpson:1446,Sims:980,Singh:664,Singleton:473,Skinner:480,Sloan:386,Small:419,"
    "Smith:21712,Snow:417,Snyder:1456,Solis:549,Solomon:391,Sosa:336,Soto:974,Sparks:569,"
    "Spears:367,Spence:315,Spencer:1228,Stafford:414,Stanley:857,Stanton:318,Stark:383,"
    "Steele:771,Stein:396,Stephens:1268,Stephenson:426,Stevens:1658,Stevenson:666,"
    "Stewart:2859,Stokes:536,Stone:1369,Stout:390,Strickland:601,Strong:397,Stuart:326,"
    "Suarez:432,Sullivan:1970,Summers:506,Sutton:798,Swanson:699,Sweeney:471,Tanner:424,"
    "Tapia:340,Tate:614,Taylor:6582,Terrell:310,Terry:762,Thomas:6494,Thompson:5888,"
    "Thornton:742,Todd:638,Torres:2971,Townsend:611,Tran:1244,Travis:305,Trevino:461,"
    "Trujillo:545,Tucker:1489,Turner:3067,Tyler:571,Underwood:511,Valdez:901,Valencia:457,"
    "Valentine:344,Valenzuela:400,Vance:418,Vang:295,Vargas:1133,Vasquez:1462,Vaughan:343,"
    "Vaughn:777,Vazquez:776,Vega:802,Velasquez:522,Velazquez:366,Velez:391,Villa:360,"
    "Villanueva:407,Villarreal:460,Villegas:317,Vincent:463,Wade:848,Wagner:1412,Walker:4581,"
    "Wall:497,Wallace:1743,Waller:320,Walls:358,Walsh:943,Walter:435,Walters:953,Walton:649,"
    "Wang:617,Ward:2322,Ware:427,Warner:748,Warren:1351,Washington:1490,Waters:601,"
    "Watkins:1119,Watson:2215,Watts:788,Weaver:1268,Webb:1494,Weber:986,Webster:641,"
    "Weeks:375,Weiss:513,Welch:967,Wells:1559,Werner:314,West:1722,Wheeler:1112,Whitaker:497,"
    "White:5843,Whitehead:396,Whitney:313,Wiggins:442,Wilcox:502,Wiley:434,Wilkerson:426,"
    "Wilkins:512,Wilkinson:480,Williams:14017,Williamson:1025,Willis:1148,Wilson:7155,"
    "Winters:400,Wise:610,Wolf:630,Wolfe:759,Wong:908,Wood:2260,Woodard:410,Woods:1542,"
    "Woodward:331,Wright:4024,Wu:419,Wyatt:465,Yang:664,Yates:561,Yoder:404,York:469,"
    "Young:4257,Yu:332,Zamora:419,Zavala:311,Zhang:303,Zimmerman:740,Zuniga:357";

// Faker's countries with the spellings of its older releases. Congo and Korea stand twice there, so
// they are drawn twice as often. Separated by '/', because some names hold commas or blanks.
constexpr std::string_view countries_text =
    "Afghanistan/Albania/Algeria/American Samoa/Andorra/Angola/Anguilla/"
    "Antarctica (the territory South of 60 deg S)/Antigua and Barbuda/Argentina/Armenia/"
    "Aruba/Australia/Austria/Azerbaijan/Bahamas/Bahrain/Bangladesh/Barbados/Belarus/Belgium/"
    "Belize/Benin/Bermuda/Bhutan/Bolivia/Bosnia and Herzegovina/Botswana/"
    "Bouvet Island (Bouvetoya)/Brazil/British Indian Ocean Territory (Chagos Archipelago)/"
    "British Virgin Islands/Brunei Darussalam/Bulgaria/Burkina Faso/Burundi/Cambodia/"
    "Cameroon/Canada/Cape Verde/Cayman Islands/Central African Republic/Chad/Chile/China/"
    "Christmas Island/Cocos (Keeling) Islands/Colombia/Comoros/Congo/Congo/Cook Islands/"
    "Costa Rica/Cote d'Ivoire/Croatia/Cuba/Cyprus/Czech Republic/Denmark/Djibouti/Dominica/"
    "Dominican Republic/Ecuador/Egypt/El Salvador/Equatorial Guinea/Eritrea/Estonia/Ethiopia/"
    "Falkland Islands (Malvinas)/Faroe Islands/Fiji/Finland/France/French Guiana/"
    "French Polynesia/French Southern Territories/Gabon/Gambia/Georgia/Germany/Ghana/"
    "Gibraltar/Greece/Greenland/Grenada/Guadeloupe/Guam/Guatemala/Guernsey/Guinea/"
    "Guinea-Bissau/Guyana/Haiti/Heard Island and McDonald Islands/"
    "Holy See (Vatican City State)/Honduras/Hong Kong/Hungary/Iceland/India/Indonesia/Iran/"
    "Iraq/Ireland/Isle of Man/Israel/Italy/Jamaica/Japan/Jersey/Jordan/Kazakhstan/Kenya/"
    "Kiribati/Korea/Korea/Kuwait/Kyrgyz Republic/Lao People's Democratic Republic/Latvia/"
    "Lebanon/Lesotho/Liberia/Libyan Arab Jamahiriya/Liechtenstein/Lithuania/Luxembourg/Macao/"
    "Macedonia/Madagascar/Malawi/Malaysia/Maldives/Mali/Malta/Marshall Islands/Martinique/"
    "Mauritania/Mauritius/Mayotte/Mexico/Micronesia/Moldova/Monaco/Mongolia/Montenegro/"
    "Montserrat/Morocco/Mozambique/Myanmar/Namibia/Nauru/Nepal/Netherlands/"
    "Netherlands Antilles/New Caledonia/New Zealand/Nicaragua/Niger/Nigeria/Niue/"
    "Norfolk Island/Northern Mariana Islands/Norway/Oman/Pakistan/Palau/"
    "Palestinian Territory/Panama/Papua New Guinea/Paraguay/Peru/Philippines/"
    "Pitcairn Islands/Poland/Portugal/Puerto Rico/Qatar/Reunion/Romania/Russian Federation/"
    "Rwanda/Saint Barthelemy/Saint Helena/Saint Kitts and Nevis/Saint Lucia/Saint Martin/"
    "Saint Pierre and Miquelon/Saint Vincent and the Grenadines/Samoa/San Marino/"
    "Sao Tome and Principe/Saudi Arabia/Senegal/Serbia/Seychelles/Sierra Leone/Singapore/"
    "Slovakia (Slovak Republic)/Slovenia/Solomon Islands/Somalia/South Africa/"
    "South Georgia and the South Sandwich Islands/Spain/Sri Lanka/Sudan/Suriname/"
    "Svalbard & Jan Mayen Islands/Swaziland/Sweden/Switzerland/Syrian Arab Republic/Taiwan/"
    "Tajikistan/Tanzania/Thailand/Timor-Leste/Togo/Tokelau/Tonga/Trinidad and Tobago/Tunisia/"
    "Turkey/Turkmenistan/Turks and Caicos Islands/Tuvalu/Uganda/Ukraine/United Arab Emirates/"
    "United Kingdom/United States Minor Outlying Islands/United States Virgin Islands/"
    "United States of America/Uruguay/Uzbekistan/Vanuatu/Venezuela/Vietnam/Wallis and Futuna/"
    "Western Sahara/Yemen/Zambia/Zimbabwe";
// clang-format on

template <class F>
void for_each_part(std::string_view text, char separator, F use) {
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

WeightedNames::WeightedNames(std::string_view text) {
  uint64_t total = 0;
  for_each_part(text, ',', [&](std::string_view part) {
    size_t colon = part.find(':');
    uint64_t weight = 0;
    std::from_chars(part.data() + colon + 1, part.data() + part.size(), weight);
    total += weight;
    names_.push_back(part.substr(0, colon));
    ends_.push_back(total);
  });
  total_ = total;
  for (size_t slot = 0; slot < guide_.size(); ++slot) {
    uint64_t point = slot * total_ / guide_.size();
    auto found = std::upper_bound(ends_.begin(), ends_.end(), point);
    guide_[slot] = static_cast<uint16_t>(found - ends_.begin());
  }
}

std::string_view WeightedNames::at(Fraction fraction) const {
  uint64_t point = fraction.of(total_);
  size_t at = guide_[fraction.of(guide_.size())];
  while (ends_[at] <= point) ++at;
  return names_[at];
}

const WeightedNames& first_names() {
  static const WeightedNames names(first_names_text);
  return names;
}

const WeightedNames& last_names() {
  static const WeightedNames names(last_names_text);
  return names;
}

const std::vector<std::string_view>& countries() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for_each_part(countries_text, '/', [&](std::string_view part) { list.push_back(part); });
    CHECK(std::is_sorted(list.begin(), list.end()), "the least country is the first");
    return list;
  }();
  return names;
}

}  // namespace pinpipe::source
